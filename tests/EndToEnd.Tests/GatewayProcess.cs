using System.Diagnostics;
using System.Net;
using Bff.TestKit;

namespace Bff.EndToEnd.Tests;

/// <summary>A gateway as a process of its own, in a working directory of its own, amid services of this process.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private const string Listening = "Now listening on: ";
    private readonly Process _process;
    private readonly List<string> _output = [];
    private readonly List<(string Text, TaskCompletionSource<string> Seen)> _waiting = [];

    private GatewayProcess(ProcessStartInfo start)
    {
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(90);

    /// <summary>Of a whole core, since it started.</summary>
    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>In memory now.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public Uri Address { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    public bool HasExited => _process.HasExited;

    /// <summary>Makes a working directory with the gateway's own settings.</summary>
    public static string NewFolder(string gateway)
    {
        var folder = Directory.CreateTempSubdirectory(gateway + "-").FullName;
        File.Copy(Path.Combine(Checkout.Root, "src", gateway, "appsettings.json"), Path.Combine(folder, "appsettings.json"));
        return folder;
    }

    /// <param name="gateway">Its name, such as <c>WebBff</c>.</param>
    /// <param name="surroundings">Where it lives.</param>
    /// <param name="folder">Its working directory.</param>
    /// <param name="settings">Beside time-outs that no slow machine reaches; given as environment variables.</param>
    public static async Task<GatewayProcess> Start(string gateway, Surroundings surroundings, string folder, params (string Key, string Value)[] settings)
    {
        var start = new ProcessStartInfo("dotnet", [Assembly(gateway)])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var all = Generous.Settings().WithAttempts(surroundings.Services).WithPlans()
            .WithParts("home-feed:user", "home-feed:orders", "home-feed:recommendations", "home-feed:notifications", "me:user")
            .With(surroundings.GatewaySettings);
        var own = new Dictionary<string, string?>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["Shutdown:Delay"] = "00:00:02",
        };
        foreach (var (key, value) in all.With(own).With(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value))))
        {
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        var process = new GatewayProcess(start);
        try
        {
            var line = await process.Prints(Listening);
            process.Address = new Uri(line[(line.IndexOf(Listening, StringComparison.Ordinal) + Listening.Length)..].Trim());
            process.Client = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false }) { BaseAddress = process.Address, Timeout = Patience };
            await Eventually.True(process.IsReady, Patience);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>The first line, printed already or still to come, that contains the text.</summary>
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
            return seen.Task.WaitAsync(Patience);
        }
    }

    /// <summary>What it has printed.</summary>
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

    public void ForgetOutput()
    {
        lock (_output)
        {
            _output.Clear();
        }
    }

    /// <summary>What a balancer asks.</summary>
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
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    /// <summary>Dies at once, as in a crash. It may be gone already.</summary>
    public async Task Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        Client?.Dispose();
        _process.Dispose();
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

    // Built in the same configuration as these tests: .../bin/<Configuration>/<framework>/.
    private static string Assembly(string gateway)
    {
        var mine = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Path.Combine(Checkout.Root, "src", gateway, "bin", mine.Parent!.Name, mine.Name, gateway + ".dll");
    }
}
