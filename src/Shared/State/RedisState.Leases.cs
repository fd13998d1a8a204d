using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Bff.State;

/// <content>Locks that may have been taken without an answer.</content>
public sealed partial class RedisState
{
    private static readonly TimeSpan GiveBackAgainAfter = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan GiveBackFor = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Gives back, in the background, what an operation without an answer may have taken. What is not there yet may still come (the
    /// operation waits in a connection that was replaced), so that it is looked for a few times.
    /// </summary>
    /// <param name="release">Removes what belongs to this one operation and nothing else; true: it was there.</param>
    internal void GiveBack(Func<Task<bool>> release) =>
        _ = Task.Run(async () =>
        {
            var asked = _time.GetTimestamp();
            for (var looks = 0; looks < 5 && _time.GetElapsedTime(asked) < GiveBackFor && !_stopping.IsCancellationRequested; )
            {
                try
                {
                    if (await release())
                    {
                        return;
                    }

                    looks++;
                }
                catch (StoreUnavailableException)
                {
                    // Tried again; it ends by itself if the store stays away.
                }
                catch (Exception refused) when (refused is StoreRefusedException or RedisException)
                {
                    LogNotGivenBack(_logger, refused.GetType().Name);
                    return;
                }

                await Task.Delay(GiveBackAgainAfter, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        });

    [LoggerMessage(
        1302,
        LogLevel.Warning,
        "Redis refused to release a lock ({Failure}); the lock expires",
        EventName = "RedisLockNotReleased"
    )]
    private static partial void LogNotGivenBack(ILogger logger, string failure);
}
