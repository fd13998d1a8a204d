using System.Globalization;

namespace Bff.Bench.Soak.Store;

/// <summary>
/// Moves the clock of one Redis server (libfaketime) while it runs, by writing a file. The server's monotonic clock stays unchanged. The C
/// library's allocator is preloaded before jemalloc, which asks for the time before libfaketime is ready.
/// </summary>
internal sealed class ServerClock(string file)
{
    private static readonly string? Library = new[]
    {
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    }.FirstOrDefault(File.Exists);

    public static bool IsInstalled => Library is not null;

    /// <summary>Environment of the server's process.</summary>
    public IReadOnlyDictionary<string, string> Environment =>
        Library is null
            ? new Dictionary<string, string>()
            : new Dictionary<string, string>
            {
                ["LD_PRELOAD"] = Library + ":libc.so.6",
                ["FAKETIME_TIMESTAMP_FILE"] = file,
                ["FAKETIME_CACHE_DURATION"] = "1",
                ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
                ["DONT_FAKE_MONOTONIC"] = "1", // The older and the newer name.
            };

    /// <summary>Sets the clock back by seconds; 0 is the right time.</summary>
    public void SetBack(double seconds) => File.WriteAllText(file, string.Create(CultureInfo.InvariantCulture, $"-{seconds:F1}\n"));
}
