namespace Bff.Dev.Stack;

/// <summary>Reads commands from the terminal and breaks or heals services accordingly.</summary>
internal static class FaultPrompt
{
    private const string Usage = """
          SERVICE delay MS           answers late          reviews delay 1500
          SERVICE status CODE        answers an error      users status 500
          SERVICE MODE               reset, reset-mid-body, garbage, html, hang, endless, empty, bomb, oversize, wrong-type, truncated
          SERVICE none               answers normally again
          heal                       all services answer normally again
        """;

    public static async Task Run(RunningStack stack, CancellationToken cancellation)
    {
        Console.WriteLine();
        Console.WriteLine("Break a service, then repeat a curl line from above:");
        Console.WriteLine(Usage);
        while (true)
        {
            Console.Write("faults> ");
            var line = await Task.Run(Console.ReadLine, cancellation).WaitAsync(cancellation);
            if (line is null)
            {
                await Task.Delay(Timeout.Infinite, cancellation); // No terminal: run until stopped.
            }

            await Obey(stack.Http, line!.Split(' ', StringSplitOptions.RemoveEmptyEntries), cancellation);
        }
    }

    private static async Task Obey(HttpClient http, string[] words, CancellationToken cancellation)
    {
        switch (words)
        {
            case []:
                return;
            case ["heal"]:
                foreach (var service in StackPlan.Services)
                {
                    await Switch(http, service, new("none"), cancellation);
                }

                return;
            case [var service, "delay", var text] when Known(service) && int.TryParse(text, out var ms):
                await Switch(http, service, new("delay", DelayMs: ms), cancellation);
                return;
            case [var service, "status", var text] when Known(service) && int.TryParse(text, out var status):
                await Switch(http, service, new("status", Status: status), cancellation);
                return;
            case [var service, var mode] when Known(service):
                await Switch(http, service, new(mode), cancellation);
                return;
            default:
                Console.WriteLine(Usage);
                return;
        }
    }

    private static bool Known(string service) => StackPlan.Services.Contains(service);

    private static async Task Switch(HttpClient http, string service, FaultOrder order, CancellationToken cancellation) =>
        Console.WriteLine(await ServiceFaults.Order(http, service, order, cancellation) ?? $"{service}: {order.Mode}");
}
