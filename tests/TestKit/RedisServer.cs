using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Bff.TestKit;

/// <summary>
/// A real redis-server on a free loopback port with its files in a temporary folder; every write is on disk before it is answered.
/// </summary>
public sealed partial class RedisServer : IDisposable
{
    private const string Password = "of-the-tests-alone";
    private const string Sentinel = "--sentinel";
    private const string Documented = "ACL SETUSER bff ";
    private static readonly ConcurrentDictionary<int, bool> Ports = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("bff-redis-").FullName;
    private readonly string[] _arguments;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private Process? _process;
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

    /// <summary>For <c>ConnectionStrings:redis</c>: of a user that may do what docs/operations.md lists, and nothing else.</summary>
    public string ConnectionString => Address + AsUser;

    /// <summary>The part of a connection string that names the user and the password.</summary>
    public static string AsUser => ",user=bff,password=" + Password;

    /// <summary>The rules of the documented user, with a password of the tests.</summary>
    public static string[] UserRules { get; } =
    [
        .. File.ReadLines(Checkout.At("docs", "operations.md"))
            .Single(l => l.StartsWith(Documented, StringComparison.Ordinal))[Documented.Length..]
            .Split(' ')
            .Select(r => r == ">password" ? ">" + Password : r),
    ];

    /// <summary>
    /// Starts a server and waits until it answers. Further arguments are redis-server's own, such as <c>--cluster-enabled yes</c>.
    /// </summary>
    public static RedisServer Run(params string[] arguments) => Run(new Dictionary<string, string>(), arguments);

    /// <summary>As <see cref="Run(string[])"/>, with environment variables of its own, such as those that load libfaketime.</summary>
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
                server.Dispose(); // Somebody else took the port in between.
            }
        }
    }

    /// <summary>A Sentinel, which has neither data nor users of its own.</summary>
    public static RedisServer RunSentinel() => Run(new Dictionary<string, string>(), Sentinel);

    /// <summary>Listens for TLS too, and takes only clients with a certificate of the authority; returns that port.</summary>
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

    /// <summary>Starts (again) on the same port with the same data. Further arguments are redis-server's own, for this time.</summary>
    public void Start(params string[] more)
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
        var patience = Stopwatch.StartNew();
        while (!IsOwn() || !TryCommand("PING").StartsWith("+PONG", StringComparison.Ordinal))
        {
            if (_process.HasExited || patience.Elapsed > TimeSpan.FromSeconds(20))
            {
                throw new InvalidOperationException("redis-server did not start");
            }

            Thread.Sleep(10); // Waits for another program, which has no signal to give.
        }
    }

    /// <summary>Kills it, as a crash would.</summary>
    public void Stop()
    {
        if (_process is { HasExited: false })
        {
            Signal(18); // A frozen process does not die.
            _process.Kill();
            _process.WaitForExit();
        }
    }

    /// <summary>It keeps its connections and answers nothing.</summary>
    public void Freeze() => Signal(19);

    /// <summary>Ends <see cref="Freeze"/>.</summary>
    public void Continue() => Signal(18);

    public void FlushAll() => Command("FLUSHALL");

    /// <summary>From now on nobody is served without a password, as in an installation.</summary>
    public void Lock()
    {
        Command("ACL", "SETUSER", "default", "resetpass", ">" + Password);
        _isLocked = true;
    }

    /// <summary>Refuses the command from now on, in the middle of scripts too.</summary>
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

    /// <summary>Sends one command over a connection of its own and returns the raw answer (RESP).</summary>
    public string Command(params string[] words)
    {
        using var client = new TcpClient();
        client.Connect(IPAddress.Loopback, Port);
        client.ReceiveTimeout = 10_000;
        using var stream = client.GetStream();
        var text = $"*{words.Length}\r\n" + string.Concat(words.Select(w => $"${System.Text.Encoding.UTF8.GetByteCount(w)}\r\n{w}\r\n"));
        var buffer = new byte[64 * 1024];
        if (_isLocked)
        {
            stream.Write(System.Text.Encoding.UTF8.GetBytes($"AUTH {Password}\r\n"));
            _ = stream.Read(buffer);
        }

        stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
        var read = stream.Read(buffer);
        return System.Text.Encoding.UTF8.GetString(buffer, 0, read);
    }

    public void Dispose()
    {
        Stop();
        _process?.Dispose();
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (IOException)
        {
            // A file of a dying process; the temporary folder is cleaned by the system.
        }
    }

    /// <summary>It writes what it finds out into its file.</summary>
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

    private string TryCommand(params string[] words)
    {
        try
        {
            return Command(words);
        }
        catch (Exception notYet) when (notYet is SocketException or IOException)
        {
            return "";
        }
    }

    /// <summary>Whether it is this process that answers, not somebody else's server that took the port first.</summary>
    private bool IsOwn() =>
        TryCommand("INFO", "server")
            .Contains(string.Create(CultureInfo.InvariantCulture, $"process_id:{_process!.Id}\r\n"), StringComparison.Ordinal);

    /// <summary>
    /// None that the system gives to somebody who asks for any, or to a connection, and none twice: the port must still be free when a
    /// server that was stopped comes back. A cluster node also listens on its port + 10000.
    /// </summary>
    private static int FreePort(bool forCluster)
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
                // Taken; try another.
            }
        }
    }

    private void Signal(int signal) => _ = Kill(_process!.Id, signal);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
