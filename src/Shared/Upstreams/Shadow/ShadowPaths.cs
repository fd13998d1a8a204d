using System.Collections.Concurrent;

namespace Bff.Upstreams.Shadow;

/// <summary>Limits the number of paths in metrics, because the names of members come from services.</summary>
/// <param name="most">Maximum number of paths; slightly more if several are new at the same time.</param>
internal sealed class ShadowPaths(int most)
{
    /// <summary>Replaces a path beyond the maximum number, or one that is too long.</summary>
    public const string Other = "other";

    private const int Longest = 128;

    private readonly ConcurrentDictionary<(string Upstream, string Endpoint, string Path), bool> _known = new();

    /// <summary>Returns the path under which to count a difference.</summary>
    public string Of(string upstream, string endpoint, string path)
    {
        var at = (upstream, endpoint, path);
        return path.Length <= Longest && (_known.ContainsKey(at) || (_known.Count < most && _known.TryAdd(at, true))) ? path : Other;
    }
}
