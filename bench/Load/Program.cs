using Bff.Bench.Load;
using Bff.Bench.Load.Jobs;

// Measures what the gateways cost, side by side with references, and writes the tables of docs/performance.md. The README of bench explains
// the method.
if (LoadOptions.Parse(args) is not { } options)
{
    return 2;
}

var jobs = new Dictionary<string, Func<Fleet, LoadOptions, Report, CancellationToken, Task>>(StringComparer.Ordinal)
{
    ["pass-through"] = PassThroughJob.Run,
    ["home-feed"] = HomeFeedJob.Run,
    ["product"] = ProductPageJob.Run,
    ["latency"] = AddedLatencyJob.Run,
    ["start"] = StartJob.Run,
    ["first-minute"] = FirstMinuteJob.Run,
    ["progressive"] = ProgressiveJob.Run,
    ["hanging"] = HangingUpstreamJob.Run,
    ["tenant"] = NoisyTenantJob.Run,
    ["overload"] = OverloadJob.Run,
    ["growth"] = GrowthJob.Run,
    ["stored-tenants"] = StoredTenantsJob.Run,
    ["memory"] = MemoryJob.Run,
    ["bodies"] = LargeBodiesJob.Run,
    ["storm"] = BodyStormJob.Run,
    ["forged"] = ForgedCredentialsJob.Run,
};
var wanted = options.Jobs.Count > 0 ? options.Jobs : [.. jobs.Keys];
if (wanted.Except(jobs.Keys).ToList() is { Count: > 0 } unknown)
{
    Console.Error.WriteLine($"There is no job {string.Join(", ", unknown)}. The jobs are {string.Join(", ", jobs.Keys)}.");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

try
{
    await using var fleet = await Fleet.Start(options, stop.Token);
    var report = new Report(options);
    var refused = 0;
    foreach (var job in wanted)
    {
        Console.Error.WriteLine("== " + job);
        try
        {
            await jobs[job](fleet, options, report, stop.Token);
        }
        catch (InvalidRunException invalid)
        {
            refused++;
            report.Refused(job, invalid.Message); // Figures from a run with errors would describe the errors.
        }

        report.Write();
    }

    Console.Write(report);
    return refused == 0 ? 0 : 1;
}
catch (InvalidRunException invalid)
{
    Console.Error.WriteLine(invalid.Message);
    return 1;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 130;
}
