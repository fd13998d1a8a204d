using System.Collections.Concurrent;
using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>
/// One <see cref="Bucket"/> per shared bucket for as long as anybody uses it, so that an instance holds one lease of each.
/// </summary>
internal sealed class BucketRegistry
{
    private readonly ConcurrentDictionary<(string Tag, string Key), WeakReference<Bucket>> _buckets = new();

    public Bucket Bucket(string tag, string key, BucketPolicy policy)
    {
        while (true)
        {
            var known = _buckets.GetOrAdd((tag, key), static (k, p) => new(new(k.Tag, k.Key, p)), policy);
            if (known.TryGetTarget(out var bucket) && bucket.Policy == policy)
            {
                return bucket;
            }

            _buckets.TryRemove(new((tag, key), known)); // Collected, or of an earlier configuration.
        }
    }

    public void Trim()
    {
        foreach (var entry in _buckets)
        {
            if (!entry.Value.TryGetTarget(out _))
            {
                _buckets.TryRemove(entry);
            }
        }
    }
}
