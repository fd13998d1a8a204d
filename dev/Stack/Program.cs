using Bff.Dev.Stack;

var options = StackOptions.Parse(args);
if (options is null)
{
    return 2;
}

using var stop = new StopSignal();
await using var stack = new RunningStack(options);

try
{
    if (!await stack.Start(stop.Token))
    {
        return 1;
    }

    var calls = await ExampleCalls.Make(stack, stop.Token);
    if (options.Check)
    {
        return await CheckRun.Run(calls, stop.Token) ? 0 : 1;
    }

    Banner.Print(stack, calls);
    await (options.Faults ? FaultPrompt.Run(stack, stop.Token) : Task.Delay(Timeout.Infinite, stop.Token));
}
catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
{
    Console.WriteLine("Stopping.");
}

return 0;
