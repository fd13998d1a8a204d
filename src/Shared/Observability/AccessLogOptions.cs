using Bff.Configuration;

namespace Bff.Observability;

/// <summary><c>AccessLog</c>.</summary>
[Settings("AccessLog")]
public sealed class AccessLogOptions
{
    /// <summary>Whether the host writes one JSON line per request to standard output.</summary>
    [Setting]
    public bool Enabled { get; set; } = true;

    /// <summary>The output for lines. Null: standard output. Set in code.</summary>
    public Stream? Output { get; set; }
}
