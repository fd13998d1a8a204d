using System.Text;
using WireMock.RequestBuilders;
using WireMock.ResponseBuilders;
using WireMock.Server;
using WireMock.Settings;
using WireMock.Types;

namespace Bff.TestKit.Contracts;

/// <summary>
/// A service of somebody else on a free loopback port (WireMock): gives every request the same answer and remembers what it was asked.
/// </summary>
public sealed class ServiceStub : IDisposable
{
    private readonly WireMockServer _server;

    private ServiceStub(WireMockServer server) => _server = server;

    /// <summary>Its base address.</summary>
    public string Address => $"http://127.0.0.1:{_server.Port}";

    /// <param name="http2">Speaks HTTP/2 with prior knowledge, and nothing else.</param>
    public static ServiceStub Start(bool http2 = false) =>
        new(WireMockServer.Start(new WireMockServerSettings { UseHttp2 = http2, DisableJsonBodyParsing = true }));

    /// <summary>From now on every request gets this.</summary>
    public void Answer(int status, string body, string type) =>
        Answer(Response.Create().WithStatusCode(status).WithHeader("Content-Type", type).WithBody(body));

    /// <summary>From now on every request gets this message of gRPC, or only the status where there is none.</summary>
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

    /// <summary>What it was asked since the last time.</summary>
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
/// <param name="Bytes">Its body.</param>
public sealed record StubRequest(string Line, byte[] Bytes, IDictionary<string, WireMockList<string>> Headers)
{
    /// <summary>Its body.</summary>
    public string Body => Encoding.UTF8.GetString(Bytes);

    /// <summary>A header's value; null where it has none.</summary>
    public string? Header(string name) =>
        Headers.FirstOrDefault(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value?.ToString();
}
