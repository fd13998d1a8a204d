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
    /// <summary>Largest request body in bytes where neither a route nor the caller's plan says otherwise.</summary>
    [Setting(Min = 0)]
    public long MaxRequestBodySize { get; private set; } = BodyLimit.DefaultBytes;

    /// <summary>What a sender of a body must reach, or is told 408; 0: any rate.</summary>
    [Setting(Key = "MinRequestBodyDataRate:BytesPerSecond", Min = 0.0)]
    public double MinRequestBytesPerSecond { get; private set; } = 240;

    /// <summary>How long a sender may be slower.</summary>
    [Setting(Key = "MinRequestBodyDataRate:GracePeriod", Min = "00:00:01.001", Max = "01:00:00")]
    public TimeSpan MinRequestGracePeriod { get; private set; } = TimeSpan.FromSeconds(5);

    /// <summary>What a reader of an answer must reach, or its connection ends; 0: any rate.</summary>
    [Setting(Key = "MinResponseDataRate:BytesPerSecond", Min = 0.0)]
    public double MinResponseBytesPerSecond { get; private set; } = 240;

    /// <summary>How long a reader may be slower.</summary>
    [Setting(Key = "MinResponseDataRate:GracePeriod", Min = "00:00:01.001", Max = "01:00:00")]
    public TimeSpan MinResponseGracePeriod { get; private set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a connection may be idle.</summary>
    [Setting(Min = "00:00:01", Max = "1.00:00:00")]
    public TimeSpan KeepAliveTimeout { get; private set; } = TimeSpan.FromSeconds(130);

    /// <summary>How long the head of a request may take to arrive.</summary>
    [Setting(Min = "00:00:01", Max = "01:00:00")]
    public TimeSpan RequestHeadersTimeout { get; private set; } = TimeSpan.FromSeconds(10);

    /// <summary>Connections at once.</summary>
    [Setting(Min = 1, Default = "any number")]
    public long? MaxConcurrentConnections { get; private set; }

    /// <summary>WebSockets at once.</summary>
    [Setting(Min = 0, Default = "any number")]
    public long? MaxConcurrentUpgradedConnections { get; private set; }

    /// <summary>Bytes of a request that wait to be read.</summary>
    [Setting(Min = 1)]
    public long MaxRequestBufferSize { get; private set; } = 1024 * 1024;

    /// <summary>Bytes of an answer that wait to be sent; 0: none.</summary>
    [Setting(Min = 0)]
    public long MaxResponseBufferSize { get; private set; } = 64 * 1024;

    /// <summary>Header lines of a request.</summary>
    [Setting(Min = 1, Max = 10_000)]
    public int MaxRequestHeaderCount { get; private set; } = 100;

    /// <summary>Bytes of all header lines of a request.</summary>
    [Setting(Min = 1024, Max = 1024 * 1024)]
    public int MaxRequestHeadersTotalSize { get; private set; } = 32 * 1024;

    /// <summary>Bytes of a request line.</summary>
    [Setting(Min = 128, Max = 1024 * 1024)]
    public int MaxRequestLineSize { get; private set; } = 8 * 1024;

    /// <summary>Requests at once of a connection.</summary>
    [Setting(Key = "Http2:MaxStreamsPerConnection", Min = 1, Max = 100_000)]
    public int MaxStreamsPerConnection { get; private set; } = 100;

    /// <summary>Bytes of the table that headers are compressed with.</summary>
    [Setting(Key = "Http2:HeaderTableSize", Min = 0, Max = 1024 * 1024)]
    public int HeaderTableSize { get; private set; } = 4096;

    /// <summary>Bytes of a frame.</summary>
    [Setting(Key = "Http2:MaxFrameSize", Min = 16 * 1024, Max = 16 * 1024 * 1024 - 1)]
    public int MaxFrameSize { get; private set; } = 16 * 1024;

    /// <summary>Bytes of one header over HTTP/2.</summary>
    [Setting(Key = "Http2:MaxRequestHeaderFieldSize", Min = 1024, Max = 1024 * 1024)]
    public int MaxHttp2HeaderFieldSize { get; private set; } = 32 * 1024;

    /// <summary>Bytes of bodies that a connection takes before they are read.</summary>
    [Setting(Key = "Http2:InitialConnectionWindowSize", Min = 65_535, Max = int.MaxValue)]
    public int InitialConnectionWindowSize { get; private set; } = 1024 * 1024;

    /// <summary>Bytes of a body that a request takes before they are read.</summary>
    [Setting(Key = "Http2:InitialStreamWindowSize", Min = 65_535, Max = int.MaxValue)]
    public int InitialStreamWindowSize { get; private set; } = 768 * 1024;

    /// <summary>After how long without a frame a connection is pinged.</summary>
    [Setting(Key = "Http2:KeepAlivePingDelay", Min = "00:00:01", Default = "never")]
    public TimeSpan? KeepAlivePingDelay { get; private set; }

    /// <summary>How long its answer may take.</summary>
    [Setting(Key = "Http2:KeepAlivePingTimeout", Min = "00:00:01", Max = "01:00:00")]
    public TimeSpan KeepAlivePingTimeout { get; private set; } = TimeSpan.FromSeconds(20);

    /// <summary>Bytes of one header over HTTP/3.</summary>
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
