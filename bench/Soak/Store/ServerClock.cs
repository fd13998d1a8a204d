using System.Globalization;

namespace Bff.Bench.Soak.Store;

/// <summary>
/// The clock of one Redis server (libfaketime): what is written into a file moves it while the server runs. Its monotonic clock stays as it
/// is. The C library's allocator goes before jemalloc, which asks for the time before libfaketime is ready.
/// </summary>
internal sealed class ServerClock(string file)
{
    private static readonly string? Library = new[]
    {
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    }.FirstOrDefault(File.Exists);

    public static bool IsInstalled => Library is not null;

    /// <summary>For the server's process.</summary>
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

    /// <summary>So many seconds behind; 0 is right.</summary>
    public void SetBack(double seconds) => File.WriteAllText(file, string.Create(CultureInfo.InvariantCulture, $"-{seconds:F1}\n"));
}
