using System.Text;
using WireMock.RequestBuilders;
using WireMock.ResponseBuilders;
using WireMock.Server;
using WireMock.Settings;
using WireMock.Types;

namespace Bff.TestKit.Contracts;

/// <summary>
/// An external service on a free loopback port (WireMock). It gives every request the same answer and records the requests.
/// </summary>
public sealed class ServiceStub : IDisposable
{
    private readonly WireMockServer _server;

    private ServiceStub(WireMockServer server) => _server = server;

    /// <summary>Base address of the service.</summary>
    public string Address => $"http://127.0.0.1:{_server.Port}";

    /// <param name="http2">Whether it speaks only HTTP/2 with prior knowledge.</param>
    public static ServiceStub Start(bool http2 = false) =>
        new(WireMockServer.Start(new WireMockServerSettings { UseHttp2 = http2, DisableJsonBodyParsing = true }));

    /// <summary>Sets the answer to every request from now on.</summary>
    public void Answer(int status, string body, string type) =>
        Answer(Response.Create().WithStatusCode(status).WithHeader("Content-Type", type).WithBody(body));

    /// <summary>Sets a gRPC message as the answer to every request from now on, or only a status without a message.</summary>
    public void AnswerGrpc(byte[]? message, int status)
    {
        byte[] frame = message is null
            ? []
            : [0, .. BitConverter.GetBytes(System.Net.IPAddress.HostToNetworkOrder(message.Length)), .. message];
        Answer(
            Response
                .Create()
                .WithStatusCode(200)
                .WithHeader("Content-Type", "application/grpc")
                .WithBody(frame)
                .WithTrailingHeader("grpc-status", status.ToString(System.Globalization.CultureInfo.InvariantCulture))
        );
    }

    /// <summary>Returns the requests since the last call of this method.</summary>
    public IReadOnlyList<StubRequest> TakeRequests()
    {
        var taken = _server
            .LogEntries.Select(e => e.RequestMessage!)
            .Select(r => new StubRequest(
                $"{r.Method} {new Uri(r.Url).PathAndQuery}",
                r.BodyAsBytes ?? [],
                r.Headers ?? new Dictionary<string, WireMockList<string>>()
            ))
            .ToList();
        _server.ResetLogEntries();
        return taken;
    }

    public void Dispose() => _server.Dispose();

    private void Answer(IResponseBuilder answer)
    {
        _server.ResetMappings();
        _server.Given(Request.Create()).RespondWith(answer);
    }
}

/// <summary>A request as it arrived.</summary>
/// <param name="Line">Method and target.</param>
/// <param name="Bytes">The body's bytes.</param>
public sealed record StubRequest(string Line, byte[] Bytes, IDictionary<string, WireMockList<string>> Headers)
{
    /// <summary>The body as text.</summary>
    public string Body => Encoding.UTF8.GetString(Bytes);

    /// <summary>Returns the value of a header; null if it is absent.</summary>
    public string? Header(string name) =>
        Headers.FirstOrDefault(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value?.ToString();
}
