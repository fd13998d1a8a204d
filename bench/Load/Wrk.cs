using System.Globalization;

namespace Bff.Bench.Load;

/// <summary>
/// Measures at saturation: 64 keep-alive connections each send the next request as soon as the answer arrives. Every answer is checked.
/// </summary>
internal static class Wrk
{
    public const int Connections = 64;

    /// <exception cref="InvalidRunException">An answer was wrong, or a connection broke.</exception>
    public static async Task<Traffic> Run(Server server, Target target, int seconds, CancellationToken cancellation)
    {
        var tokens = Path.Combine(Shell.Artifacts, $"tokens-{server.Port}.txt");
        await File.WriteAllLinesAsync(tokens, target.Tokens, cancellation);
        var output = await Shell.Run(
            "wrk",
            [
                "-t1",
                "-c" + Connections,
                $"-d{seconds}s",
                "--timeout",
                "10s",
                "-s",
                Path.Combine(AppContext.BaseDirectory, "check.lua"),
                server.Address,
                "--",
                target.Path,
                target.Expected,
                tokens,
            ],
            cancellation
        );
        var result =
            output.Split('\n').FirstOrDefault(l => l.StartsWith("RESULT ", StringComparison.Ordinal))?.Split(' ', 8)
            ?? throw new InvalidRunException("wrk said nothing: " + output);
        var numbers = result[1..7].Select(n => long.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        var (requests, micros, bad, broken) = (numbers[0], numbers[1], numbers[2], numbers[3]);
        return bad == 0 && broken == 0 && requests > 0
            ? new Traffic(requests, micros / 1e6, numbers[4] / 1e3, numbers[5] / 1e3)
            : throw new InvalidRunException(
                $"{server.Name} {target.Path}: {bad} wrong answers, {broken} errors in {requests} requests; first: {result[7]}"
            );
    }
}
