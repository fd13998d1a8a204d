namespace Bff.Bench.Load;

/// <summary>Runs interleaved rounds, A B C A B C ..., so that other load on the machine affects all subjects alike.</summary>
internal static class Rounds
{
    private const int ChunkSeconds = 3,
        MaxRefused = 3;

    /// <summary>Number of rounds, including warm-up, that were refused and run again.</summary>
    public static int Refused { get; private set; }

    /// <summary>Warms each subject up with the given number of requests, then measures at saturation.</summary>
    public static async Task<Dictionary<Subject, List<Sample>>> Saturated(
        IReadOnlyList<Subject> subjects,
        LoadOptions options,
        CancellationToken cancellation
    )
    {
        var seconds = new Dictionary<Subject, int>();
        foreach (var subject in subjects)
        {
            Console.Error.Write($"warming {subject.Name} up");
            var answered = 0L;
            var last = 0.0;
            while (answered < options.WarmUp)
            {
                var traffic = await Valid("warm-up", () => Wrk.Run(subject.Server, subject.Target, ChunkSeconds, cancellation));
                answered += traffic.Requests;
                last = traffic.Requests / traffic.Seconds;
                Console.Error.Write('.');
            }

            Console.Error.WriteLine($" {last:0}/s");
            seconds[subject] = Math.Clamp((int)Math.Ceiling(options.Requests / last), 1, 60);
        }

        return await Interleaved(
            subjects,
            options.Rounds,
            subject => Wrk.Run(subject.Server, subject.Target, seconds[subject], cancellation)
        );
    }

    /// <summary>Measures at a fixed rate.</summary>
    public static Task<Dictionary<Subject, List<Sample>>> Paced(
        IReadOnlyList<Subject> subjects,
        double perSecond,
        LoadOptions options,
        CancellationToken cancellation
    ) =>
        Interleaved(
            subjects,
            options.Rounds,
            async subject => (await new Pacer(subject.Server, subject.Target, perSecond, options.Seconds).Run(cancellation)).Traffic
        );

    private static async Task<Dictionary<Subject, List<Sample>>> Interleaved(
        IReadOnlyList<Subject> subjects,
        int rounds,
        Func<Subject, Task<Traffic>> load
    )
    {
        var samples = subjects.ToDictionary(s => s, _ => new List<Sample>());
        for (var round = 1; round <= rounds; round++)
        {
            foreach (var subject in subjects)
            {
                var sample = await Valid(subject.Name, () => Sample.Of(subject.Server, () => load(subject)));
                samples[subject].Add(sample);
                Console.Error.WriteLine(
                    $"round {round}: {subject.Name}: {sample.CpuMicros:0.0} µs, {sample.PerSecond:0}/s, p99 {sample.P99:0.00} ms, {sample.AllocatedBytes / 1024:0.0} KB, {sample.Mebibytes:0} MiB"
                );
            }
        }

        return samples;
    }

    /// <summary>Runs a refused round again, as a whole, and counts it; a job that is refused repeatedly has no figures.</summary>
    private static async Task<T> Valid<T>(string what, Func<Task<T>> round)
    {
        for (var refused = 0; ; refused++)
        {
            try
            {
                return await round();
            }
            catch (InvalidRunException invalid) when (refused < MaxRefused)
            {
                Refused++;
                Console.Error.WriteLine($"{what}: round refused: {invalid.Message}");
            }
        }
    }
}
