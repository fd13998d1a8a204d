using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Bff.State;

/// <content>Releases locks that Redis may have granted without answering.</content>
public sealed partial class RedisState
{
    private static readonly TimeSpan GiveBackAgainAfter = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan GiveBackFor = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Releases in the background a lock that an unanswered operation may have taken. The operation may still run later (it waits in a
    /// connection that was replaced), so the release is tried several times.
    /// </summary>
    /// <param name="release">Removes only the lock of this operation; returns whether it existed.</param>
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
                    // The loop tries again. The lock expires by itself if the store stays unavailable.
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
        "Redis refused to release a lock ({Failure}); the lock stays until it expires",
        EventName = "RedisLockNotReleased"
    )]
    private static partial void LogNotGivenBack(ILogger logger, string failure);
}
