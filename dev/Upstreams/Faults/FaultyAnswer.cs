using System.Diagnostics;
using System.IO.Compression;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Dev.Upstreams.Faults;

/// <summary>Applies a fault: the delay first, then the failure.</summary>
internal static class FaultyAnswer
{
    // Long enough for half a body to leave the socket before the reset overtakes it, if the system does not tell that it has.
    private static readonly TimeSpan Drain = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan EndlessGap = TimeSpan.FromMilliseconds(50);
    private static readonly Lazy<byte[]> Bomb = new(MakeBomb);

    public static async Task SendAsync(Fault fault, SampleService service, Exchange exchange, TimeProvider time)
    {
        var gone = exchange.Context.RequestAborted;
        if (fault.Until is { } until)
            await until.WaitAsync(gone);
        if (fault.DelayMs > 0 && fault.Mode != FaultMode.Endless)
            await Task.Delay(TimeSpan.FromMilliseconds(fault.DelayMs), time, gone);

        switch (fault.Mode)
        {
            case FaultMode.Status:
                await StatusAsync(fault, service, exchange);
                break;
            case FaultMode.Reset:
                Reset(exchange.Context);
                break;
            case FaultMode.ResetMidBody:
                await ResetMidBodyAsync(service, exchange);
                break;
            case FaultMode.Garbage:
                await BodyAsync(exchange, Harm.Garbage, ContentTypeOf(service));
                break;
            case FaultMode.Html:
                await BodyAsync(exchange, Harm.Html, "text/html; charset=utf-8");
                break;
            case FaultMode.Hang:
                await Task.Delay(Timeout.Infinite, gone);
                break;
            case FaultMode.Endless:
                await EndlessAsync(fault, service, exchange);
                break;
            case FaultMode.Empty:
                await BodyAsync(exchange, [], ContentTypeOf(service));
                break;
            case FaultMode.Bomb:
                await BombAsync(service, exchange);
                break;
            case FaultMode.Oversize:
                await OversizeAsync(service, exchange);
                break;
            case FaultMode.WrongType:
                await HarmedAsync(service, exchange, Harm.SwapTypes);
                break;
            case FaultMode.Truncated:
                await HarmedAsync(service, exchange, static (body, _) => body[..(body.Length / 2)]);
                break;
            default:
                await service.HandleAsync(exchange);
                break;
        }
    }

    /// <summary>
    /// Resets the connection: SO_LINGER of zero makes the close an RST. On HTTP/2 this ends all streams of the connection.
    /// </summary>
    private static void Reset(HttpContext context)
    {
        if (context.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Close();
        }
        context.Abort();
    }

    private static async Task ResetMidBodyAsync(SampleService service, Exchange exchange)
    {
        var body = await CaptureAsync(service, exchange);
        var (half, gone) = (body.Length / 2, exchange.Context.RequestAborted);
        var before = Arrived(exchange.Context);
        exchange.Response.ContentLength = body.Length;
        await exchange.Response.Body.WriteAsync(body.AsMemory(0, half), gone);
        await exchange.Response.Body.FlushAsync(gone);
        for (var waited = Stopwatch.StartNew(); Arrived(exchange.Context) - before < half && waited.Elapsed < WaitLimit; )
            await Task.Delay(Look, gone);
        await Task.Delay(Drain, gone);
        Reset(exchange.Context);
    }

    /// <summary>
    /// Returns how many bytes of the connection the other side's system has acknowledged (<c>tcpi_bytes_acked</c>); null if the system does
    /// not tell.
    /// </summary>
    private static long? Arrived(HttpContext context)
    {
        const int Tcp = 6,
            TcpInfo = 11,
            BytesAcked = 120;
        if (!OperatingSystem.IsLinux() || context.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
            return null;
        Span<byte> info = stackalloc byte[BytesAcked + sizeof(long)];
        return socket.GetRawSocketOption(Tcp, TcpInfo, info) == info.Length ? BitConverter.ToInt64(info[BytesAcked..]) : null;
    }

    private static Task StatusAsync(Fault fault, SampleService service, Exchange exchange)
    {
        if (fault.RetryAfter is { } seconds)
            exchange.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return (service, fault.Status) switch
        {
            (Catalog, <= 16) => Catalog.FailAsync(exchange, fault.Status, "as told"),
            (Pricing, 200) => Answer.JsonAsync(exchange, Harm.GraphQLError),
            _ => Answer.ProblemAsync(exchange, fault.Status, "service_fault", "This service was told to fail."),
        };
    }

    private static async Task EndlessAsync(Fault fault, SampleService service, Exchange exchange)
    {
        var gap = fault.DelayMs > 0 ? TimeSpan.FromMilliseconds(fault.DelayMs) : EndlessGap;
        exchange.Response.ContentType = ContentTypeOf(service);
        // A gRPC frame that announces 2 GB, or JSON that never ends.
        await exchange.Response.Body.WriteAsync(
            service is Catalog ? Harm.FrameHead(int.MaxValue) : "{\"items\":[\""u8.ToArray(),
            exchange.Context.RequestAborted
        );
        var piece = new byte[64];
        Array.Fill(piece, (byte)'a');
        while (true)
        {
            await exchange.Response.Body.WriteAsync(piece, exchange.Context.RequestAborted);
            await exchange.Response.Body.FlushAsync(exchange.Context.RequestAborted);
            await Task.Delay(gap, exchange.Context.RequestAborted);
        }
    }

    private static Task BombAsync(SampleService service, Exchange exchange)
    {
        exchange.Response.Headers.ContentEncoding = "gzip";
        return BodyAsync(exchange, Bomb.Value, ContentTypeOf(service));
    }

    private static async Task OversizeAsync(SampleService service, Exchange exchange)
    {
        var pieces = Harm.Swell(await CaptureAsync(service, exchange), service);
        exchange.Response.ContentLength = null;
        foreach (var piece in pieces)
        {
            await exchange.Response.Body.WriteAsync(piece, exchange.Context.RequestAborted);
        }
    }

    private static async Task HarmedAsync(SampleService service, Exchange exchange, Func<byte[], SampleService, byte[]> harm)
    {
        var body = harm(await CaptureAsync(service, exchange), service);
        exchange.Response.ContentLength = body.Length;
        if (service is Media && harm == Harm.SwapTypes)
            exchange.Response.ContentType = "text/plain";
        await exchange.Response.Body.WriteAsync(body, exchange.Context.RequestAborted);
    }

    private static async Task BodyAsync(Exchange exchange, byte[] body, string contentType)
    {
        exchange.Response.ContentType = contentType;
        exchange.Response.ContentLength = body.Length;
        await exchange.Response.Body.WriteAsync(body, exchange.Context.RequestAborted);
    }

    /// <summary>Returns the body of the real answer; its status and headers are on the response already.</summary>
    private static async Task<byte[]> CaptureAsync(SampleService service, Exchange exchange)
    {
        var features = exchange.Context.Features;
        var real = features.GetRequiredFeature<IHttpResponseBodyFeature>();
        using var buffer = new MemoryStream();
        var captured = new StreamResponseBodyFeature(buffer);
        features.Set<IHttpResponseBodyFeature>(captured);
        try
        {
            await service.HandleAsync(exchange);
            await captured.CompleteAsync();
            EndInTrailers(exchange.Response);
            return buffer.ToArray();
        }
        finally
        {
            features.Set(real);
        }
    }

    /// <summary>
    /// Moves the status into trailers. To a gRPC service a captured answer has not started, so it may use the head alone.
    /// </summary>
    private static void EndInTrailers(HttpResponse response)
    {
        foreach (var name in new[] { "grpc-status", "grpc-message" })
        {
            if (response.Headers.Remove(name, out var value))
                response.AppendTrailer(name, value);
        }
    }

    private static string ContentTypeOf(SampleService service) =>
        service switch
        {
            Catalog => Catalog.ContentType,
            Media => "image/jpeg",
            _ => Answer.Json,
        };

    private static byte[] MakeBomb()
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest))
        {
            gzip.Write("{\"id\":\""u8);
            var block = new byte[1_000_000];
            Array.Fill(block, (byte)'0');
            for (var i = 0; i < 200; i++)
                gzip.Write(block);
            gzip.Write("\"}"u8);
        }
        return buffer.ToArray();
    }
}
