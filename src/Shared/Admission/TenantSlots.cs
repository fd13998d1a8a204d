using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Bff.Admission;

/// <summary>
/// Counts the requests in flight of each tenant that has a ceiling of its own. At the ceiling the tenant's requests are refused, and take no
/// place of the host.
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
