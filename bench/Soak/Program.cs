using System.Runtime.InteropServices;
using Bff.Bench.Soak;
using Bff.Bench.Soak.Faults;
using Bff.Bench.Soak.Work;

// 1. starts everything; 2. runs load and faults for the given minutes; 3. runs load alone for a short time with everything healthy;
// 4. waits until everything in flight has arrived; 5. checks, and ends everything.
if (SoakOptions.Parse(args) is not { } options)
{
    return 2;
}

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

Console.Error.WriteLine("starting nine gateways");
await using var world = await World.Start();
var sender = new Sender(world);
var (reads, orders, events) = (new Reads(world, sender), new Orders(world, sender), new EventFlow(world, sender));
var (usage, credentials) = (new Usage(world, sender), new Credentials(world, sender));
await events.Subscribe();

using var faultsEnd = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
using var loadEnds = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
using var settled = new CancellationTokenSource();
using var watched = new CancellationTokenSource();
faultsEnd.CancelAfter(options.Length);
var watching = Pace.Every(1, 1, () => Task.WhenAll(world.Fleets.Select(f => f.Watch())), watched.Token);
var load = Task.WhenAll(
    reads.Run(options.Rate, loadEnds.Token),
    orders.Run(options.Rate, loadEnds.Token),
    usage.Run(options.Rate, loadEnds.Token),
    credentials.Run(options.Rate, loadEnds.Token, settled.Token),
    events.Run(options.Rate, loadEnds.Token, settled.Token)
);

await new Injector(world, options).Run(faultsEnd.Token);
Console.Error.WriteLine($"{world.Time.Now, 7:F1} s  faults are over");
await Pace.Pause(Math.Min(30, options.Length.TotalSeconds / 4));
await loadEnds.CancelAsync();
Console.Error.WriteLine($"{world.Time.Now, 7:F1} s  load is over");
for (var until = world.Time.Now + 60; world.Time.Now < until && !events.HasSettled(); )
{
    await Pace.Pause(1);
}

await Pace.Pause(35); // A stream may go on this long at most: tokens are accepted that long after their end.
await settled.CancelAsync();
if (await Task.WhenAny(load, Task.Delay(TimeSpan.FromMinutes(1))) != load)
{
    Console.Error.WriteLine($"{world.Time.Now, 7:F1} s  some of the load has not ended");
}

IReadOnlyList<Check> checks =
[
    .. events.Verify(),
    await orders.Verify(),
    .. await usage.Verify(),
    .. credentials.Verify(),
    Report.OfHosts(world),
    Report.OfAnswers(sender),
];
await watched.CancelAsync();
await watching;
var report = Report.Of(world, options, sender, orders, events, credentials, checks);
Console.WriteLine(report);
Console.Error.WriteLine(Report.Errors());
if (options.Out is { } file)
{
    await File.WriteAllTextAsync(file, report);
}

return checks.All(c => c.Broken.Count == 0) ? 0 : 1;

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
