using System.Diagnostics;

namespace Bff.TestKit;

/// <summary>For what gives no signal: asks again and again until it holds, or fails when it never does.</summary>
public static class Eventually
{
    public static Task<TimeSpan> True(Func<bool> holds, TimeSpan? within = null) => True(() => Task.FromResult(holds()), within);

    /// <returns>How long it took.</returns>
    public static async Task<TimeSpan> True(Func<Task<bool>> holds, TimeSpan? within = null)
    {
        var limit = within ?? TimeSpan.FromSeconds(30);
        var waited = Stopwatch.StartNew();
        while (true)
        {
            // Begun after the limit: a thread that stalls between two looks has not looked for so long.
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
