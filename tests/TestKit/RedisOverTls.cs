using System.Globalization;

namespace Bff.TestKit;

/// <summary>A server that also listens with TLS and accepts only clients with a certificate of its authority.</summary>
internal sealed class RedisOverTls(int port) : RedisReach
{
    private static readonly Lazy<Certificates> Shared = new(() => new());

    public override string ConnectionString =>
        string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}{RedisServer.AsUser},ssl=true");

    public override IEnumerable<KeyValuePair<string, string?>> Settings =>
        [
            new("State:Redis:ServerCa:Path", Shared.Value.Authority.AuthorityFile),
            new("State:Redis:ClientCertificate:Path", Shared.Value.Gateway.CertificateFile),
            new("State:Redis:ClientCertificate:KeyPath", Shared.Value.Gateway.KeyFile),
        ];

    public static RedisServer Start()
    {
        var port = RedisServer.FreePort(forCluster: false);
        var (authority, server) = (Shared.Value.Authority, Shared.Value.Server);
        return RedisServer.RunAlone(
            _ => new RedisOverTls(port),
            "--tls-port",
            port.ToString(CultureInfo.InvariantCulture),
            "--tls-cert-file",
            server.CertificateFile,
            "--tls-key-file",
            server.KeyFile,
            "--tls-ca-cert-file",
            authority.AuthorityFile
        );
    }

    /// <summary>The certificates that all tests of the process share.</summary>
    private sealed class Certificates
    {
        public Certificates()
        {
            (Server, Gateway) = (Authority.Issue("redis"), Authority.Issue("gateway"));
            AppDomain.CurrentDomain.ProcessExit += (_, _) => Authority.Dispose();
        }

        public TestAuthority Authority { get; } = new();

        public IssuedCertificate Server { get; }

        public IssuedCertificate Gateway { get; }
    }
}
