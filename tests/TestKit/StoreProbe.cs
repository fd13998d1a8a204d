using Xunit;

namespace Bff.TestKit;

/// <summary>A store under trouble: numbered items are written and looked up.</summary>
/// <param name="Write">Writes an item; a repeat changes nothing. When it returns, the store has acknowledged the item.</param>
/// <param name="IsThere">Whether an item exists.</param>
/// <param name="IsAway">Whether an exception means that the store is unavailable.</param>
public sealed record StoreProbe(Func<int, Task> Write, Func<int, Task<bool>> IsThere, Func<Exception, bool> IsAway)
{
    /// <summary>Returns each of the stores with every kind of trouble.</summary>
    public static TheoryData<string, RedisTrouble> Cases(IEnumerable<string> stores)
    {
        ArgumentNullException.ThrowIfNull(stores);
        var cases = new TheoryData<string, RedisTrouble>();
        foreach (var store in stores)
        {
            foreach (var trouble in Enum.GetValues<RedisTrouble>())
            {
                cases.Add(store, trouble);
            }
        }

        return cases;
    }

    /// <summary>
    /// 1. An item is written. 2. The trouble starts: a slow server still answers; an unavailable one is reported as such. 3. It ends: the
    /// store reconnects by itself. 4. All acknowledged items exist.
    /// </summary>
    public async Task Outlives(RedisTrouble trouble, TroubledRedis redis)
    {
        ArgumentNullException.ThrowIfNull(redis);
        const int Before = 1,
            Meanwhile = 2,
            Unknown = 3,
            After = 4;
        await Eventually.True(() => TryWrite(Before));

        await redis.Begin(trouble);
        var isKept = false;
        if (trouble == RedisTrouble.Slow)
        {
            await Write(Meanwhile);
        }
        else if (trouble is RedisTrouble.Frozen or RedisTrouble.Killed)
        {
            Assert.False(await TryWrite(Unknown));
        }
        else if (trouble == RedisTrouble.Full)
        {
            isKept = await TryWrite(Unknown); // A script that frees memory first may still write.
        }

        redis.End(trouble);
        await Eventually.True(() => TryWrite(After));
        foreach (
            var kept in trouble == RedisTrouble.Slow ? (int[])[Before, Meanwhile, After]
            : isKept ? [Before, Unknown, After]
            : [Before, After]
        )
        {
            Assert.True(await Finds(kept), $"{kept} is gone.");
        }
    }

    private async Task<bool> TryWrite(int number)
    {
        try
        {
            await Write(number).WaitAsync(TimeSpan.FromSeconds(30));
            return true;
        }
        catch (Exception away) when (IsAway(away))
        {
            return false;
        }
    }

    /// <summary>Whether an item exists. A connection that has just come back may be replaced once more.</summary>
    public async Task<bool> Finds(int number)
    {
        var isThere = false;
        await Eventually.True(async () =>
        {
            try
            {
                isThere = await IsThere(number).WaitAsync(TimeSpan.FromSeconds(30));
                return true;
            }
            catch (Exception away) when (IsAway(away))
            {
                return false;
            }
        });
        return isThere;
    }
}
