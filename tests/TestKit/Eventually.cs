using System.Diagnostics;

namespace Bff.TestKit;

/// <summary>Polls a condition that gives no signal until it holds; fails if it never does.</summary>
public static class Eventually
{
    public static Task<TimeSpan> True(Func<bool> holds, TimeSpan? within = null) => True(() => Task.FromResult(holds()), within);

    /// <returns>How long it took.</returns>
    public static async Task<TimeSpan> True(Func<Task<bool>> holds, TimeSpan? within = null)
    {
        var limit = within ?? TimeSpan.FromMinutes(2);
        var waited = Stopwatch.StartNew();
        while (true)
        {
            // The last look starts after the limit, so a thread that stalls between two looks has really looked for that long.
            var isLastLook = waited.Elapsed > limit;
            if (await holds())
            {
                return waited.Elapsed;
            }

            if (isLastLook)
            {
                throw new TimeoutException($"Still not so after {limit}.");
            }

            await Task.Delay(20);
        }
    }
}
