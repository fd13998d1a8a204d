using System.Diagnostics;
using System.Net;

namespace Bff.TestKit;

/// <summary>
/// A gateway as a process of its own, in a working directory of its own, with services in this process. The <see cref="LeakSentinel"/> of
/// its surroundings checks its output and what its clients receive.
/// </summary>
public sealed class GatewayProcess : IAsyncDisposable
{
    private const string Listening = "Now listening on: ";
    private readonly Process _process;
    private string? _host;
    private readonly LeakSentinel _leaks;
    private readonly List<string> _output = [];
    private readonly List<(string Text, TaskCompletionSource<string> Seen)> _waiting = [];

    private GatewayProcess(ProcessStartInfo start, LeakSentinel leaks)
    {
        _leaks = leaks;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public static TimeSpan WaitLimit { get; } = TimeSpan.FromSeconds(90);

    /// <summary>Processor time since the start.</summary>
    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Current size in memory.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Names of the assemblies that are currently in memory. Linux only.</summary>
    public HashSet<string> LoadedAssemblies =>
        [
            .. File.ReadLines($"/proc/{_process.Id}/maps")
                .Where(l => l.EndsWith(".dll", StringComparison.Ordinal))
                .Select(l => Path.GetFileNameWithoutExtension(l)),
        ];

    public int Id => _process.Id;

    public Uri Address { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    public bool HasExited => _process.HasExited;

    /// <summary>Creates a working directory with the gateway's own settings.</summary>
    public static string NewFolder(string gateway)
    {
        var folder = Directory.CreateTempSubdirectory(gateway + "-").FullName;
        File.Copy(Path.Combine(Checkout.Root, "src", gateway, "appsettings.json"), Path.Combine(folder, "appsettings.json"));
        return folder;
    }

    /// <param name="gateway">Name such as <c>WebBff</c>.</param>
    /// <param name="surroundings">The surroundings.</param>
    /// <param name="folder">Working directory.</param>
    /// <param name="settings">Further settings, besides timeouts that no slow machine reaches; passed as environment variables.</param>
    public static Task<GatewayProcess> Start(
        string gateway,
        Surroundings surroundings,
        string folder,
        params (string Key, string Value)[] settings
    ) => Start(gateway, surroundings, folder, [], settings);

    /// <param name="gateway">Name such as <c>WebBff</c>.</param>
    /// <param name="surroundings">The surroundings.</param>
    /// <param name="folder">Working directory.</param>
    /// <param name="arguments">Command line arguments.</param>
    /// <param name="settings">Further settings, besides timeouts that no slow machine reaches; passed as environment variables.</param>
    public static async Task<GatewayProcess> Start(
        string gateway,
        Surroundings surroundings,
        string folder,
        string[] arguments,
        params (string Key, string Value)[] settings
    )
    {
        return await Ready(Launch(gateway, surroundings, folder, arguments, settings), surroundings);
    }

    /// <summary>Starts a gateway through another program that becomes it, such as one in the file system of an image.</summary>
    /// <param name="start">The program; the gateway must be the same process.</param>
    /// <param name="surroundings">The surroundings.</param>
    /// <param name="settings">Settings, including secrets.</param>
    /// <param name="host">Value of <c>Host</c> in requests; null for its address.</param>
    public static Task<GatewayProcess> Start(
        ProcessStartInfo start,
        Surroundings surroundings,
        IReadOnlyDictionary<string, string?> settings,
        string? host
    )
    {
        ArgumentNullException.ThrowIfNull(surroundings);
        surroundings.Leaks.Configured(settings);
        return Ready(new GatewayProcess(start, surroundings.Leaks) { _host = host }, surroundings);
    }

    private static async Task<GatewayProcess> Ready(GatewayProcess process, Surroundings surroundings)
    {
        try
        {
            var line = await process.Prints(Listening);
            process.Address = new Uri(
                line[(line.IndexOf(Listening, StringComparison.Ordinal) + Listening.Length)..]
                    .Trim()
                    .Replace("[::]", "127.0.0.1", StringComparison.Ordinal)
            );
            surroundings.Leaks.Own(process.Address.Port);
            process.Client = process.NewClient();
            await Eventually.True(process.IsReady, WaitLimit);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a gateway that is expected to fail at start: wait for its <see cref="Exit"/>.</summary>
    /// <param name="gateway">Name such as <c>WebBff</c>.</param>
    /// <param name="surroundings">The surroundings.</param>
    /// <param name="folder">Working directory.</param>
    /// <param name="settings">Further settings, besides timeouts that no slow machine reaches; passed as environment variables.</param>
    public static GatewayProcess StartInVain(
        string gateway,
        Surroundings surroundings,
        string folder,
        params (string Key, string Value)[] settings
    ) => StartInVain(gateway, surroundings, folder, [], settings);

    /// <summary>Starts a gateway that is expected to fail at start, with command line arguments.</summary>
    public static GatewayProcess StartInVain(
        string gateway,
        Surroundings surroundings,
        string folder,
        string[] arguments,
        params (string Key, string Value)[] settings
    ) => Launch(gateway, surroundings, folder, arguments, settings);

    private static GatewayProcess Launch(
        string gateway,
        Surroundings surroundings,
        string folder,
        string[] arguments,
        (string Key, string Value)[] settings
    )
    {
        var start = new ProcessStartInfo("dotnet", [Assembly(gateway), .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var all = Generous
            .Settings()
            .WithAttempts(surroundings.Services)
            .WithPlans()
            .WithParts("home-feed:user", "home-feed:orders", "home-feed:recommendations", "home-feed:notifications", "me:user")
            .With(surroundings.GatewaySettings);
        var own = new Dictionary<string, string?>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["Shutdown:Delay"] = "00:00:02",
            ["Session:Authority"] = surroundings.Identity.Authority,
            ["Session:ClientId"] = gateway == "WebBff" ? "web-bff" : "partner-portal",
            ["Session:ClientSecret"] = gateway == "WebBff" ? "web-bff-development-secret" : "partner-portal-development-secret",
            ["Session:RequireHttpsMetadata"] = "false",
        };
        var effective = all.With(own).With(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)));
        surroundings.Leaks.Configured(effective);
        foreach (var (key, value) in effective)
        {
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        return new GatewayProcess(start, surroundings.Leaks);
    }

    /// <summary>Creates a client with connections of its own.</summary>
    public HttpClient NewClient()
    {
        var client = new HttpClient(new LeakSentinelHandler(_leaks, new SocketsHttpHandler { UseProxy = false, UseCookies = false }))
        {
            BaseAddress = Address,
            Timeout = WaitLimit,
        };
        client.DefaultRequestHeaders.Host = _host;
        return client;
    }

    /// <summary>Waits for the first line of output that contains the text, printed already or still to come.</summary>
    public Task<string> Prints(string text)
    {
        lock (_output)
        {
            if (_output.Find(l => l.Contains(text, StringComparison.Ordinal)) is { } line)
            {
                return Task.FromResult(line);
            }

            var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((text, seen));
            return seen.Task.WaitAsync(WaitLimit);
        }
    }

    /// <summary>The output so far.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return string.Join(Environment.NewLine, _output);
            }
        }
    }

    public void ForgetOutput() => _ = TakeOutput();

    /// <summary>Returns the output since the last call, and forgets it.</summary>
    public IReadOnlyList<string> TakeOutput()
    {
        lock (_output)
        {
            _output.ForEach(l => _leaks.CheckLog("a process", l));
            string[] taken = [.. _output];
            _output.Clear();
            return taken;
        }
    }

    /// <summary>Whether the readiness check succeeds, as a load balancer sees it.</summary>
    public async Task<bool> IsReady()
    {
        try
        {
            using var answer = await Client.GetAsync("/health/ready");
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public async Task Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    public async Task<int> Exit()
    {
        await _process.WaitForExitAsync().WaitAsync(WaitLimit);
        return _process.ExitCode;
    }

    /// <summary>Kills the process at once, as in a crash; does nothing if it has exited.</summary>
    public async Task Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
    }

    /// <summary>Ends the process; fails if anything leaked.</summary>
    public async ValueTask DisposeAsync()
    {
        await Kill();
        Client?.Dispose();
        _process.Dispose();
        ForgetOutput();
        _leaks.Verify();
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_output)
        {
            _output.Add(line);
            foreach (var (text, seen) in _waiting)
            {
                if (line.Contains(text, StringComparison.Ordinal))
                {
                    seen.TrySetResult(line);
                }
            }
        }
    }

    // The gateway is built in the same configuration as these tests: .../bin/<Configuration>/<framework>/.
    private static string Assembly(string gateway)
    {
        var mine = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Path.Combine(Checkout.Root, "src", gateway, "bin", mine.Parent!.Name, mine.Name, gateway + ".dll");
    }
}
