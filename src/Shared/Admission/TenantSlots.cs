using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Bff.Admission;

/// <summary>
/// Requests in flight per tenant that has a ceiling of its own; at it the tenant's requests are refused without taking anybody's place.
/// </summary>
internal sealed class TenantSlots
{
    private readonly ConcurrentDictionary<string, StrongBox<int>> _inFlight = new(StringComparer.Ordinal);

    /// <summary>Null when the tenant is at its ceiling; otherwise its count, to be given back.</summary>
    public StrongBox<int>? TryEnter(string tenant, int ceiling)
    {
        var count = _inFlight.GetOrAdd(tenant, static _ => new StrongBox<int>());
        if (Interlocked.Increment(ref count.Value) <= ceiling)
        {
            return count;
        }

        Leave(count);
        return null;
    }

    public static void Leave(StrongBox<int> count) => Interlocked.Decrement(ref count.Value);
}
