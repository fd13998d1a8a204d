using System.Text.Json;
using Bff.State;
using StackExchange.Redis;

namespace PartnerBff.Requests;

/// <summary>
/// Stores the latest requests of each account, newest first. Members throw <see cref="StoreUnavailableException"/> while Redis is
/// unavailable.
/// </summary>
internal interface IRequestLogStore
{
    /// <summary>Maximum number of requests kept for an account, until a week after its last one.</summary>
    public const int Kept = 1_000;

    /// <param name="account">The account; see <see cref="Usage.UsageKey.AccountOf"/>.</param>
    /// <param name="requests">The requests, oldest first.</param>
    /// <param name="cancellation">Cancels the wait.</param>
    Task Add(string account, IReadOnlyList<LoggedRequest> requests, CancellationToken cancellation);

    Task<IReadOnlyList<LoggedRequest>> Read(string account, CancellationToken cancellation);
}

/// <summary>Keeps requests in the memory of a single instance.</summary>
internal sealed class EmbeddedRequestLogStore : IRequestLogStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedList<LoggedRequest>> _accounts = [];

    public Task Add(string account, IReadOnlyList<LoggedRequest> requests, CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (!_accounts.TryGetValue(account, out var known))
            {
                _accounts[account] = known = [];
            }

            foreach (var request in requests)
            {
                known.AddFirst(request);
                if (known.Count > IRequestLogStore.Kept)
                {
                    known.RemoveLast();
                }
            }
        }

        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<LoggedRequest>> Read(string account, CancellationToken cancellation)
    {
        lock (_lock)
        {
            return Task.FromResult<IReadOnlyList<LoggedRequest>>([.. _accounts.GetValueOrDefault(account) ?? []]);
        }
    }
}

/// <summary>Keeps requests in Redis: one list per account, <c>bff:requests:{account}</c>.</summary>
internal sealed class RedisRequestLogStore(RedisState redis) : IRequestLogStore
{
    private const int SecondsKept = 7 * 86_400;

    private static readonly RedisScript AddScript = new(
        """
        for i = 3, #ARGV do redis.call('LPUSH', KEYS[1], ARGV[i]) end
        redis.call('LTRIM', KEYS[1], 0, ARGV[1])
        redis.call('EXPIRE', KEYS[1], ARGV[2])
        return 1
        """
    );

    public async Task Add(string account, IReadOnlyList<LoggedRequest> requests, CancellationToken cancellation)
    {
        RedisValue[] values =
        [
            IRequestLogStore.Kept - 1,
            SecondsKept,
            .. requests.Select(r => (RedisValue)JsonSerializer.SerializeToUtf8Bytes(r, LoggedRequestJson.Default.LoggedRequest)),
        ];
        await redis.Evaluate(AddScript, [Key(account)], values, cancellation);
    }

    public async Task<IReadOnlyList<LoggedRequest>> Read(string account, CancellationToken cancellation)
    {
        var entries = await redis.Run(
            "LRANGE",
            database => database.ListRangeAsync(Key(account), 0, IRequestLogStore.Kept - 1),
            cancellation
        );
        return
        [
            .. entries.Select(e => JsonSerializer.Deserialize((byte[])e!, LoggedRequestJson.Default.LoggedRequest)).OfType<LoggedRequest>(),
        ];
    }

    private static RedisKey Key(string account) => $"bff:requests:{{{account}}}";
}
