using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Bff.Bench.Load;

/// <summary>A measured or helping process, started from its published files and watched from outside.</summary>
internal sealed class Server : IAsyncDisposable
{
    private const double MicrosPerTick = 1_000_000 / 100.0; // USER_HZ is 100 on Linux.
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly string _probe;

    private Server(string name, int port, Process process, string probe) => (Name, Port, _process, _probe) = (name, port, process, probe);

    public string Name { get; }

    public int Port { get; }

    public string Address => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}");

    /// <summary>Time from the process's start to the first good answer on the given path.</summary>
    public TimeSpan FirstAnswer { get; private set; }

    /// <summary>User and system time of all threads so far, in microseconds.</summary>
    public double CpuMicros
    {
        get
        {
            var stat = File.ReadAllText($"/proc/{_process.Id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture))
                * MicrosPerTick;
        }
    }

    /// <summary>Resident memory in MiB.</summary>
    public double Mebibytes
    {
        get
        {
            var line = File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
            return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
        }
    }

    /// <summary>Bytes that the runtime has allocated so far; NaN for a process without .NET.</summary>
    public double AllocatedBytes
    {
        get
        {
            if (!File.Exists(_probe))
            {
                return double.NaN;
            }

            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(_probe));
            var buffer = new byte[256];
            return double.Parse(Encoding.ASCII.GetString(buffer, 0, socket.Receive(buffer)).Split(' ')[0], CultureInfo.InvariantCulture);
        }
    }

    /// <summary>
    /// Starts a program. Its standard output goes to /dev/null (an access log still costs the writing), and its errors go to a file.
    /// </summary>
    /// <param name="name">Name in messages and files.</param>
    /// <param name="command">Program and arguments; <c>{port}</c> is replaced.</param>
    /// <param name="environment">Variables added to those of this process.</param>
    /// <param name="ready">Path that answers 200 once the program works; null: do not wait.</param>
    /// <param name="token">Sent as a bearer token while waiting.</param>
    /// <param name="cancellation">Cancels the start.</param>
    public static async Task<Server> Start(
        string name,
        IReadOnlyList<string> command,
        IReadOnlyDictionary<string, string> environment,
        string? ready,
        string? token,
        CancellationToken cancellation
    )
    {
        var port = FreePort();
        var probe = Path.Combine(Path.GetTempPath(), $"bff-bench-{Environment.ProcessId}-{port}.sock");
        var errors = Path.Combine(Directory.CreateDirectory(Path.Combine(Shell.Artifacts, "logs")).FullName, name + ".log");
        var start = new ProcessStartInfo("/bin/sh")
        {
            WorkingDirectory =
                Path.GetDirectoryName(command.FirstOrDefault(c => c.EndsWith(".dll", StringComparison.Ordinal))) ?? Shell.Artifacts,
        };
        string[] arguments =
        [
            "-c",
            "exec \"$@\" >/dev/null 2>\"$0\"",
            errors,
            .. command.Select(c => c.Replace("{port}", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)),
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["BENCH_PROBE"] = probe;
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }

        var clock = Stopwatch.StartNew();
        var server = new Server(name, port, Process.Start(start)!, probe);
        if (ready is not null)
        {
            await server.Ready(ready, token, clock, errors, cancellation);
        }

        return server;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        File.Delete(_probe);
    }

    private async Task Ready(string path, string? token, Stopwatch clock, string errors, CancellationToken cancellation)
    {
        while (clock.Elapsed < WaitLimit && !_process.HasExited)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, Address + path);
                if (token is not null)
                {
                    request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
                }

                using var answer = await Fleet.Http.SendAsync(request, cancellation);
                if (answer.IsSuccessStatusCode)
                {
                    FirstAnswer = clock.Elapsed;
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // The program does not listen yet.
            }

            await Task.Delay(5, cancellation);
        }

        var said = File.ReadAllText(errors);
        await DisposeAsync();
        throw new InvalidRunException($"{Name} did not answer {path} with success. It said: {said}");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
