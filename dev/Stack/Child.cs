using System.Diagnostics;

namespace Bff.Dev.Stack;

/// <summary>One process of the stack. Its output goes to a log file, and its last lines are shown when it fails.</summary>
internal sealed class Child : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StreamWriter _log;
    private readonly Queue<string> _tail = new();

    public Child(string project, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> environment)
    {
        Name = Path.GetFileName(project);
        LogFile = Path.Combine(Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "logs")).FullName, Name + ".log");
        _log = new StreamWriter(LogFile) { AutoFlush = true };
        var start = new ProcessStartInfo("dotnet", [Repository.Assembly(project), .. arguments])
        {
            WorkingDirectory = Path.Combine(Repository.Root, project),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }

        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Name { get; }

    public string LogFile { get; }

    public bool HasExited => _process.HasExited;

    public string Tail
    {
        get
        {
            lock (_tail)
            {
                return string.Join(Environment.NewLine, _tail);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        lock (_tail)
        {
            _log.Dispose();
        }
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_tail)
        {
            if (_log.BaseStream is { CanWrite: true })
            {
                _log.WriteLine(line);
            }

            _tail.Enqueue(line);
            if (_tail.Count > 20)
            {
                _tail.Dequeue();
            }
        }
    }
}
