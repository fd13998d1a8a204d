using Bff.Configuration;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;

namespace Bff.Edge;

/// <summary>
/// Settings of section <c>Kestrel:Limits</c>, which the framework does not read. A missing setting has the server's default, or the value
/// that the edge sets.
/// </summary>
[Settings("Kestrel:Limits", AtStart = true)]
internal sealed class KestrelLimits
{
    /// <summary>Largest request body in bytes, unless the route or the caller's plan sets another limit.</summary>
    [Setting(Min = 0)]
    public long MaxRequestBodySize { get; private set; } = BodyLimit.DefaultBytes;

    /// <summary>Minimum rate of a request body. A slower request is answered 408. 0 allows any rate.</summary>
    [Setting(Key = "MinRequestBodyDataRate:BytesPerSecond", Min = 0.0)]
    public double MinRequestBytesPerSecond { get; private set; } = 240;

    /// <summary>How long a request body may be slower than the minimum rate.</summary>
    [Setting(Key = "MinRequestBodyDataRate:GracePeriod", Min = "00:00:01.001", Max = "01:00:00")]
    public TimeSpan MinRequestGracePeriod { get; private set; } = TimeSpan.FromSeconds(5);

    /// <summary>Minimum rate at which a client reads a response. A slower connection is closed. 0 allows any rate.</summary>
    [Setting(Key = "MinResponseDataRate:BytesPerSecond", Min = 0.0)]
    public double MinResponseBytesPerSecond { get; private set; } = 240;

    /// <summary>How long a client may read more slowly than the minimum rate.</summary>
    [Setting(Key = "MinResponseDataRate:GracePeriod", Min = "00:00:01.001", Max = "01:00:00")]
    public TimeSpan MinResponseGracePeriod { get; private set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a connection may be idle.</summary>
    [Setting(Min = "00:00:01", Max = "1.00:00:00")]
    public TimeSpan KeepAliveTimeout { get; private set; } = TimeSpan.FromSeconds(130);

    /// <summary>How long a request's headers may take to arrive.</summary>
    [Setting(Min = "00:00:01", Max = "01:00:00")]
    public TimeSpan RequestHeadersTimeout { get; private set; } = TimeSpan.FromSeconds(10);

    /// <summary>Maximum number of open connections.</summary>
    [Setting(Min = 1, Default = "any number")]
    public long? MaxConcurrentConnections { get; private set; }

    /// <summary>Maximum number of open WebSockets.</summary>
    [Setting(Min = 0, Default = "any number")]
    public long? MaxConcurrentUpgradedConnections { get; private set; }

    /// <summary>Size of a request's buffer in bytes.</summary>
    [Setting(Min = 1)]
    public long MaxRequestBufferSize { get; private set; } = 1024 * 1024;

    /// <summary>Size of a response's buffer in bytes. 0 turns buffering off.</summary>
    [Setting(Min = 0)]
    public long MaxResponseBufferSize { get; private set; } = 64 * 1024;

    /// <summary>Maximum number of headers of a request.</summary>
    [Setting(Min = 1, Max = 10_000)]
    public int MaxRequestHeaderCount { get; private set; } = 100;

    /// <summary>Maximum size of all headers of a request in bytes.</summary>
    [Setting(Min = 1024, Max = 1024 * 1024)]
    public int MaxRequestHeadersTotalSize { get; private set; } = 32 * 1024;

    /// <summary>Maximum size of a request line in bytes.</summary>
    [Setting(Min = 128, Max = 1024 * 1024)]
    public int MaxRequestLineSize { get; private set; } = 8 * 1024;

    /// <summary>Maximum number of requests in flight on one HTTP/2 connection.</summary>
    [Setting(Key = "Http2:MaxStreamsPerConnection", Min = 1, Max = 100_000)]
    public int MaxStreamsPerConnection { get; private set; } = 100;

    /// <summary>Maximum size of the header compression table (HPACK) in bytes.</summary>
    [Setting(Key = "Http2:HeaderTableSize", Min = 0, Max = 1024 * 1024)]
    public int HeaderTableSize { get; private set; } = 4096;

    /// <summary>Maximum size of an HTTP/2 frame in bytes.</summary>
    [Setting(Key = "Http2:MaxFrameSize", Min = 16 * 1024, Max = 16 * 1024 * 1024 - 1)]
    public int MaxFrameSize { get; private set; } = 16 * 1024;

    /// <summary>Maximum size of one request header over HTTP/2 in bytes.</summary>
    [Setting(Key = "Http2:MaxRequestHeaderFieldSize", Min = 1024, Max = 1024 * 1024)]
    public int MaxHttp2HeaderFieldSize { get; private set; } = 32 * 1024;

    /// <summary>Flow-control window of an HTTP/2 connection: bytes of all request bodies that the host has not read yet.</summary>
    [Setting(Key = "Http2:InitialConnectionWindowSize", Min = 65_535, Max = int.MaxValue)]
    public int InitialConnectionWindowSize { get; private set; } = 1024 * 1024;

    /// <summary>Flow-control window of an HTTP/2 stream: bytes of one request body that the host has not read yet.</summary>
    [Setting(Key = "Http2:InitialStreamWindowSize", Min = 65_535, Max = int.MaxValue)]
    public int InitialStreamWindowSize { get; private set; } = 768 * 1024;

    /// <summary>How long an HTTP/2 connection may be silent before the host sends a ping.</summary>
    [Setting(Key = "Http2:KeepAlivePingDelay", Min = "00:00:01", Default = "never")]
    public TimeSpan? KeepAlivePingDelay { get; private set; }

    /// <summary>How long the answer to that ping may take before the connection is closed.</summary>
    [Setting(Key = "Http2:KeepAlivePingTimeout", Min = "00:00:01", Max = "01:00:00")]
    public TimeSpan KeepAlivePingTimeout { get; private set; } = TimeSpan.FromSeconds(20);

    /// <summary>Maximum size of one request header over HTTP/3 in bytes.</summary>
    [Setting(Key = "Http3:MaxRequestHeaderFieldSize", Min = 1024, Max = 1024 * 1024)]
    public int MaxHttp3HeaderFieldSize { get; private set; } = 32 * 1024;

    /// <summary>Applies the section's settings and the edge's defaults. Mistakes are ignored here; they stop the host elsewhere.</summary>
    public static void Apply(IConfiguration configuration, KestrelServerLimits limits)
    {
        var read = new ConfigurationMistakes().Read<KestrelLimits>(configuration);
        limits.MaxRequestBodySize = read.MaxRequestBodySize;
        limits.MinRequestBodyDataRate = Rate(read.MinRequestBytesPerSecond, read.MinRequestGracePeriod);
        limits.MinResponseDataRate = Rate(read.MinResponseBytesPerSecond, read.MinResponseGracePeriod);
        limits.KeepAliveTimeout = read.KeepAliveTimeout;
        limits.RequestHeadersTimeout = read.RequestHeadersTimeout;
        limits.MaxConcurrentConnections = read.MaxConcurrentConnections;
        limits.MaxConcurrentUpgradedConnections = read.MaxConcurrentUpgradedConnections;
        limits.MaxRequestLineSize = read.MaxRequestLineSize;
        limits.MaxRequestBufferSize = Math.Max(read.MaxRequestBufferSize, read.MaxRequestLineSize);
        limits.MaxResponseBufferSize = read.MaxResponseBufferSize;
        limits.MaxRequestHeaderCount = read.MaxRequestHeaderCount;
        limits.MaxRequestHeadersTotalSize = read.MaxRequestHeadersTotalSize;
        limits.Http2.MaxStreamsPerConnection = read.MaxStreamsPerConnection;
        limits.Http2.HeaderTableSize = read.HeaderTableSize;
        limits.Http2.MaxFrameSize = read.MaxFrameSize;
        limits.Http2.MaxRequestHeaderFieldSize = read.MaxHttp2HeaderFieldSize;
        limits.Http2.InitialConnectionWindowSize = Math.Max(read.InitialConnectionWindowSize, read.InitialStreamWindowSize);
        limits.Http2.InitialStreamWindowSize = read.InitialStreamWindowSize;
        limits.Http2.KeepAlivePingDelay = read.KeepAlivePingDelay ?? TimeSpan.MaxValue;
        limits.Http2.KeepAlivePingTimeout = read.KeepAlivePingTimeout;
        limits.Http3.MaxRequestHeaderFieldSize = read.MaxHttp3HeaderFieldSize;
    }

    private static MinDataRate? Rate(double bytesPerSecond, TimeSpan grace) => bytesPerSecond > 0 ? new(bytesPerSecond, grace) : null;
}
