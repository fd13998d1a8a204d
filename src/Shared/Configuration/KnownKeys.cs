using System.Reflection;

namespace Bff.Configuration;

/// <summary>
/// The keys that a host reads, as a tree of their segments: those that its settings types declare, those that other code reads, and those
/// of the framework.
/// </summary>
internal sealed class KnownKeys
{
    /// <summary>Sections of the framework and of libraries, which check what they read, or ignore it.</summary>
    private static readonly string[] Foreign =
    [
        "Logging",
        "Kestrel:Endpoints",
        "Kestrel:Certificates",
        "Kestrel:EndpointDefaults",
        "Services",
        "hostBuilder",
    ];

    /// <summary>The host's own settings, which its builder reads.</summary>
    private static readonly string[] OfHost =
    [
        "Urls",
        "http_ports",
        "https_ports",
        "https_port",
        "environment",
        "contentRoot",
        "webroot",
        "applicationName",
        "detailedErrors",
        "captureStartupErrors",
        "startupAssembly",
        "hostingStartupAssemblies",
        "hostingStartupExcludeAssemblies",
        "preventHostingStartup",
        "preferHostingUrls",
        "suppressStatusMessages",
        "shutdownTimeoutSeconds",
        "staticWebAssets",
        "forwardedHeaders_enabled",
        "$schema",
    ];

    private const string Sandbox = "Sandbox:";

    private readonly Node _root = new();
    private readonly List<string> _patterns = [];

    public KnownKeys(IEnumerable<ConfigurationRead> reads)
    {
        // Every gateway knows all keys that the shared code declares, so that several gateways can use one file.
        var read = reads.ToList();
        var declared = read.Select(r => r.Reader).Append(typeof(KnownKeys).Assembly).Distinct().SelectMany(Setting.In).ToList();
        foreach (var setting in declared)
        {
            var hasSandbox = read.Any(r => Setting.IsBelow(r.Section, Sandbox + setting.Path));
            foreach (var path in setting.Paths)
            {
                Declare(path);
                if (hasSandbox)
                {
                    Declare(Sandbox + path);
                }
            }
        }

        foreach (
            var section in read.Select(r => r.Section)
                .Where(s => !declared.Any(d => Setting.IsBelow(s, d.Path) || Setting.IsBelow(s, Sandbox + d.Path)))
                .Concat(Foreign)
        )
        {
            Add(section, isOpen: true);
        }

        foreach (var key in OfHost)
        {
            Add(key, isOpen: false);
        }
    }

    /// <param name="key">The segments of the key.</param>
    /// <param name="isEmpty">Whether the key has no value, like an empty list or a section without keys.</param>
    public bool Has(string[] key, bool isEmpty) => Has(_root, key, isEmpty);

    /// <summary>Whether anything is read at the key or below it.</summary>
    public bool Leads(string[] key) => Has(_root, key, isEmpty: true);

    /// <summary>Whether the host reads anything below this first segment.</summary>
    public bool HasSection(string first) => _root.Names.ContainsKey(first);

    /// <summary>
    /// Returns the most similar declared key, with its names in angle brackets replaced by those of this key; null when none is similar.
    /// </summary>
    public string? Nearest(string[] key)
    {
        var (nearest, least) = ((string?)null, int.MaxValue);
        foreach (var pattern in _patterns)
        {
            if (Distance(pattern.Split(':'), key) is { } distance && distance < least)
            {
                (nearest, least) = (pattern, distance);
            }
        }

        if (nearest is null)
        {
            return null;
        }

        var segments = nearest.Split(':');
        return string.Join(':', segments.Select((segment, i) => segment[0] == '<' ? key[i] : segment));
    }

    private static bool Has(Node node, ReadOnlySpan<string> key, bool isEmpty)
    {
        if (node.IsOpen || key.IsEmpty)
        {
            return node.IsOpen || node.IsKey || isEmpty;
        }

        return (node.Names.TryGetValue(key[0], out var named) && Has(named, key[1..], isEmpty))
            || (node.Any is { } any && Has(any, key[1..], isEmpty));
    }

    /// <summary>Returns how many letters differ; null when too many do for a misspelling. A list item's index is ignored.</summary>
    private static int? Distance(string[] pattern, string[] key)
    {
        if (key.Length != pattern.Length && !(key.Length == pattern.Length + 1 && int.TryParse(key[^1], out _)))
        {
            return null;
        }

        var all = 0;
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i][0] == '<')
            {
                continue;
            }

            var distance = Misspelling.Distance(pattern[i], key[i]);
            if (!Misspelling.MayMean(distance, pattern[i]))
            {
                return null;
            }

            all += distance;
        }

        return all;
    }

    private void Declare(string path)
    {
        Add(path, isOpen: false);
        _patterns.Add(path.EndsWith(":<n>", StringComparison.Ordinal) ? path[..^4] : path);
    }

    private void Add(string path, bool isOpen)
    {
        var node = _root;
        foreach (var segment in path.Split(':'))
        {
            node =
                segment[0] == '<' ? node.Any ??= new()
                : node.Names.TryGetValue(segment, out var known) ? known
                : node.Names[segment] = new();
        }

        node.IsKey = true;
        node.IsOpen |= isOpen;
    }

    private sealed class Node
    {
        public Dictionary<string, Node> Names { get; } = new(StringComparer.OrdinalIgnoreCase);

        public Node? Any { get; set; }

        public bool IsKey { get; set; }

        public bool IsOpen { get; set; }
    }
}
