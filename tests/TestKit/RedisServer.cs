using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Configuration;

namespace Bff.TestKit;

/// <summary>
/// A real redis-server on a free loopback port, with its files in a temporary folder. Every write is on disk before it is answered.
/// </summary>
public sealed partial class RedisServer : IDisposable
{
    internal const string FixedPassword = "of-the-tests-alone";
    private const string Sentinel = "--sentinel";
    private const string Documented = "ACL SETUSER bff ";
    private static readonly ConcurrentDictionary<int, bool> Ports = new();
    private static readonly ConcurrentDictionary<string, RedisReach> Reaches = new(StringComparer.Ordinal);
    private readonly string _folder = Directory.CreateTempSubdirectory("bff-redis-").FullName;
    private readonly string[] _arguments;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private Process? _process;
    private RedisReach? _reach;
    private bool _isLocked;

    private RedisServer(int port, IReadOnlyDictionary<string, string> environment, string[] arguments)
    {
        Port = port;
        _environment = environment;
        _arguments = arguments;
    }

    public static bool IsInstalled { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(p => File.Exists(Path.Combine(p, "redis-server")));

    public int Port { get; }

    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    private IReadOnlyList<RedisServer> Others => _reach?.Others ?? [];

    /// <summary>Value for <c>ConnectionStrings:redis</c>, with a user that may do only what docs/operations.md lists.</summary>
    public string ConnectionString => _reach?.ConnectionString ?? Address + AsUser;

    /// <summary>The part of a connection string with user and password.</summary>
    public static string AsUser => ",user=bff,password=" + FixedPassword;

    /// <summary>Rules of the documented user, with the tests' password.</summary>
    public static string[] UserRules { get; } =
    [
        .. File.ReadLines(Checkout.At("docs", "operations.md"))
            .Single(l => l.StartsWith(Documented, StringComparison.Ordinal))[Documented.Length..]
            .Split(' ')
            .Select(r => r == ">password" ? ">" + FixedPassword : r),
    ];

    /// <summary>Returns the settings with which a host uses the server of this connection string, or none.</summary>
    public static IEnumerable<KeyValuePair<string, string?>> SettingsOf(string? connectionString) =>
        [
            new("ConnectionStrings:redis", connectionString),
            .. connectionString is not null && Reaches.TryGetValue(connectionString, out var reach) ? reach.Settings : [],
        ];

    /// <summary>Applies <see cref="SettingsOf"/>.</summary>
    public static void Configure(IConfiguration configuration, string? connectionString)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        foreach (var (key, value) in SettingsOf(connectionString))
        {
            configuration[key] = value;
        }
    }

    /// <summary>
    /// Starts a server and waits until it answers. Without arguments, <see cref="RedisEngines.Chosen"/> decides how it is reached.
    /// Arguments are those of redis-server, such as <c>--cluster-enabled yes</c>.
    /// </summary>
    public static RedisServer Run(params string[] arguments) =>
        arguments is [] ? Run(RedisEngines.Chosen) : Run(new Dictionary<string, string>(), arguments);

    /// <summary>Starts a server that is reached in the given way.</summary>
    public static RedisServer Run(RedisEngine engine) => RedisReach.Start(engine);

    /// <summary>Starts a plain server, for a test that combines several itself.</summary>
    public static RedisServer RunAlone() => Run(new Dictionary<string, string>(), []);

    /// <summary>Starts a server behind the given reach.</summary>
    internal static RedisServer RunAlone(Func<RedisServer, RedisReach> reach, params string[] arguments)
    {
        var server = Run(new Dictionary<string, string>(), arguments);
        server._reach = reach(server);
        Reaches[server.ConnectionString] = server._reach;
        return server;
    }

    /// <summary>
    /// Starts a server like <see cref="Run(string[])"/>, with further environment variables, such as those for libfaketime.
    /// </summary>
    public static RedisServer Run(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        ArgumentNullException.ThrowIfNull(environment);
        for (var attempt = 0; ; attempt++)
        {
            var server = new RedisServer(FreePort(arguments.Contains("--cluster-enabled")), environment, arguments);
            try
            {
                server.Start();
                return server;
            }
            catch (InvalidOperationException) when (attempt < 3)
            {
                server.Dispose(); // Another process took the port in between.
            }
        }
    }

    /// <summary>Starts a Sentinel, which has no data or users of its own.</summary>
    public static RedisServer RunSentinel() => Run(new Dictionary<string, string>(), Sentinel);

    /// <summary>Also listens with TLS, only for clients with a certificate of the authority; returns the port.</summary>
    public int Tls(IssuedCertificate certificate, string authorityFile)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        var port = FreePort(forCluster: false);
        Command(
            "CONFIG",
            "SET",
            "tls-cert-file",
            certificate.CertificateFile,
            "tls-key-file",
            certificate.KeyFile,
            "tls-ca-cert-file",
            authorityFile,
            "tls-port",
            port.ToString(CultureInfo.InvariantCulture)
        );
        return port;
    }

    /// <summary>Starts (again) on the same port with the same data, with further redis-server arguments for this time.</summary>
    public void Start(params string[] more)
    {
        StartProcess(more);
        foreach (var other in Others)
        {
            other.Start(more);
        }

        _reach?.Resume();
    }

    private void StartProcess(string[] more)
    {
        var start = new ProcessStartInfo("redis-server") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] own = _arguments.Contains(Sentinel)
            ? ForSentinel()
            :
            [
                "--port",
                Port.ToString(CultureInfo.InvariantCulture),
                "--bind",
                "127.0.0.1",
                "--dir",
                _folder,
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
                "--loglevel",
                "warning",
                "--user",
                "bff",
                .. UserRules,
            ];
        foreach (var argument in own.Concat(_arguments).Concat(more))
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in _environment)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        var waited = Stopwatch.StartNew();
        while (!IsOwn() || !TrySend("PING").StartsWith("+PONG", StringComparison.Ordinal))
        {
            if (_process.HasExited || waited.Elapsed > TimeSpan.FromSeconds(20))
            {
                throw new InvalidOperationException("redis-server did not start");
            }

            Thread.Sleep(10); // Waits for another program, which gives no signal.
        }
    }

    /// <summary>Kills the server, as in a crash.</summary>
    public void Stop()
    {
        _reach?.Pause();
        foreach (var other in Others)
        {
            other.Stop();
        }

        if (_process is { HasExited: false })
        {
            Signal(18); // A frozen process does not die.
            _process.Kill();
            _process.WaitForExit();
        }
    }

    /// <summary>Freezes the server: it keeps its connections and answers nothing.</summary>
    public void Freeze()
    {
        _reach?.Pause();
        foreach (var other in Others)
        {
            other.Freeze();
        }

        Signal(19);
    }

    /// <summary>Ends <see cref="Freeze"/>.</summary>
    public void Continue()
    {
        Signal(18);
        foreach (var other in Others)
        {
            other.Continue();
        }

        _reach?.Resume();
    }

    public void FlushAll() => Command("FLUSHALL");

    /// <summary>Requires a password from now on, as in an installation.</summary>
    public void Lock()
    {
        Command("ACL", "SETUSER", "default", "resetpass", ">" + FixedPassword);
        _isLocked = true;
    }

    /// <summary>Denies a command from now on, also within scripts.</summary>
    public void Deny(string command)
    {
        Command("ACL", "SETUSER", "default", "-" + command);
        Command("ACL", "SETUSER", "bff", "-" + command);
    }

    /// <summary>Ends <see cref="Deny"/>.</summary>
    public void Allow(string command)
    {
        Command("ACL", "SETUSER", "default", "+" + command);
        Command(["ACL", "SETUSER", "bff", .. UserRules]);
    }

    /// <summary>Sends one command on a connection of its own and returns the raw answer (RESP).</summary>
    public string Command(params string[] words) => _reach?.Command(words) ?? Send(words);

    /// <summary>Sends a command to exactly this server, if there are others beside it.</summary>
    internal string Send(params string[] words)
    {
        using var client = new TcpClient();
        client.Connect(IPAddress.Loopback, Port);
        client.ReceiveTimeout = 10_000;
        using var stream = client.GetStream();
        var text = $"*{words.Length}\r\n" + string.Concat(words.Select(w => $"${System.Text.Encoding.UTF8.GetByteCount(w)}\r\n{w}\r\n"));
        var buffer = new byte[64 * 1024];
        if (_isLocked)
        {
            stream.Write(System.Text.Encoding.UTF8.GetBytes($"AUTH {FixedPassword}\r\n"));
            _ = stream.Read(buffer);
        }

        stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
        var read = stream.Read(buffer);
        return System.Text.Encoding.UTF8.GetString(buffer, 0, read);
    }

    public void Dispose()
    {
        if (_reach is { } reach)
        {
            Reaches.TryRemove(reach.ConnectionString, out _);
            var others = reach.Others;
            reach.Dispose();
            _reach = null;
            foreach (var other in others)
            {
                other.Dispose();
            }
        }

        Stop();
        _process?.Dispose();
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (IOException)
        {
            // A dying process still has a file open; the system cleans up the temporary folder.
        }
    }

    /// <summary>Returns the arguments for a Sentinel, which writes its state into its configuration file.</summary>
    private string[] ForSentinel()
    {
        var file = Path.Combine(_folder, "sentinel.conf");
        if (!File.Exists(file))
        {
            File.WriteAllText(file, "");
        }

        return
        [
            file,
            "--port",
            Port.ToString(CultureInfo.InvariantCulture),
            "--bind",
            "127.0.0.1",
            "--dir",
            _folder,
            "--loglevel",
            "warning",
        ];
    }

    private string TrySend(params string[] words)
    {
        try
        {
            return Send(words);
        }
        catch (Exception notYet) when (notYet is SocketException or IOException)
        {
            return "";
        }
    }

    /// <summary>Whether this process answers, not another server that took the port first.</summary>
    private bool IsOwn() =>
        TrySend("INFO", "server")
            .Contains(string.Create(CultureInfo.InvariantCulture, $"process_id:{_process!.Id}\r\n"), StringComparison.Ordinal);

    /// <summary>
    /// Returns a port outside of the range that the system assigns, and never the same one twice: the port must still be free when a
    /// stopped server comes back. A cluster node also listens on its port + 10000.
    /// </summary>
    internal static int FreePort(bool forCluster)
    {
        while (true)
        {
            var port = forCluster ? Random.Shared.Next(20_000, 22_000) : Random.Shared.Next(22_000, 30_000);
            if (!Ports.TryAdd(port, true))
            {
                continue;
            }

            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken; tries another one.
            }
        }
    }

    private void Signal(int signal) => _ = Kill(_process!.Id, signal);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
