using System.Collections.Concurrent;

namespace Bff.Upstreams.Shadow;

/// <summary>Names of members come from services: no more series than so many are made of them.</summary>
/// <param name="most">Paths in all; a few more where several are new at once.</param>
internal sealed class ShadowPaths(int most)
{
    /// <summary>In place of a path when there are as many as there may be, or when it is longer than a name should be.</summary>
    public const string Other = "other";

    private const int Longest = 128;

    private readonly ConcurrentDictionary<(string Upstream, string Endpoint, string Path), bool> _known = new();

    /// <summary>The path as it is counted.</summary>
    public string Of(string upstream, string endpoint, string path)
    {
        var at = (upstream, endpoint, path);
        return path.Length <= Longest && (_known.ContainsKey(at) || (_known.Count < most && _known.TryAdd(at, true))) ? path : Other;
    }
}
