using Microsoft.Extensions.Options;

namespace Bff.Idempotency;

/// <summary>Stores the keys of a single instance in memory. Expired keys are removed from time to time.</summary>
internal sealed class EmbeddedIdempotencyStore(IOptions<IdempotencyOptions> options, TimeProvider time) : IIdempotencyStore
{
    private const int SweepEvery = 1000;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Record> _records = [];
    private int _claims;

    public ValueTask<IdempotencyClaim> Claim(
        string key,
        string fingerprint,
        string owner,
        long fencingToken,
        CancellationToken cancellation
    )
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            Sweep(now);
            if (_records.TryGetValue(key, out var record) && record.Expires > now)
            {
                if (record.Fingerprint != fingerprint)
                {
                    return new(new IdempotencyClaim(ClaimOutcome.Mismatch));
                }

                if (record.Answer is { } answer)
                {
                    return new(new IdempotencyClaim(ClaimOutcome.Answered, answer));
                }

                var latest = now + options.Value.Lease;
                record.LockEnds = record.LockEnds > latest ? latest : record.LockEnds; // The clock went back; a live owner renews its lock.
                if (record.Owner is not null && record.LockEnds > now && fencingToken <= record.FencingToken)
                {
                    return new(new IdempotencyClaim(ClaimOutcome.InFlight));
                }
            }
            else
            {
                _records[key] = record = new Record(fingerprint);
            }

            record.Bound |= record.Owner is not null; // The former owner died and may have reached the service.
            record.Owner = owner;
            record.FencingToken = fencingToken == 0 ? record.FencingToken + 1 : fencingToken;
            record.LockEnds = now + options.Value.Lease;
            record.Expires = now + options.Value.Retention;
            return new(new IdempotencyClaim(ClaimOutcome.Taken, FencingToken: record.FencingToken));
        }
    }

    public ValueTask<bool> Renew(string key, string owner, CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (Owned(key, owner) is not { } record)
            {
                return new(false);
            }

            record.LockEnds = time.GetUtcNow() + options.Value.Lease;
            return new(true);
        }
    }

    public ValueTask<StoredAnswer?> Complete(
        string key,
        string fingerprint,
        string owner,
        StoredAnswer answer,
        CancellationToken cancellation
    )
    {
        lock (_lock)
        {
            if (_records.GetValueOrDefault(key) is { Answer: { } other } answered)
            {
                return new(answered.Fingerprint == fingerprint ? other : null);
            }

            if (Owned(key, owner) is { } record)
            {
                record.Answer = answer;
                record.Owner = null;
                record.Expires = time.GetUtcNow() + options.Value.Retention;
            }

            return new((StoredAnswer?)null);
        }
    }

    public ValueTask Release(string key, string owner, bool keepFingerprint, CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (Owned(key, owner) is { } record)
            {
                record.Owner = null;
                record.Bound |= keepFingerprint;
                if (!record.Bound)
                {
                    _records.Remove(key);
                }
            }
        }

        return default;
    }

    private Record? Owned(string key, string owner) =>
        _records.GetValueOrDefault(key) is { } record && record.Owner == owner ? record : null;

    private void Sweep(DateTimeOffset now)
    {
        if (++_claims % SweepEvery == 0)
        {
            foreach (var key in _records.Where(r => r.Value.Expires <= now).Select(r => r.Key).ToList())
            {
                _records.Remove(key);
            }
        }
    }

    private sealed class Record(string fingerprint)
    {
        public string Fingerprint { get; } = fingerprint;

        public string? Owner { get; set; }

        public long FencingToken { get; set; }

        public bool Bound { get; set; }

        public DateTimeOffset LockEnds { get; set; }

        public DateTimeOffset Expires { get; set; }

        public StoredAnswer? Answer { get; set; }
    }
}
