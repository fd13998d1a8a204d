using System.Text.Json;

namespace Bff.Dev.Upstreams.Data;

/// <summary>The current orders and the sequence of their changes. Thread-safe.</summary>
internal sealed class OrderBook
{
    /// <summary>Enough for a long load test; beyond it new orders are refused.</summary>
    public const int Capacity = 200_000;

    private readonly Lock gate = new();
    private readonly TimeProvider time;
    private readonly Dictionary<string, Entry> byId = [];
    private readonly Dictionary<string, List<Entry>> byCustomer = [];
    private readonly Dictionary<string, List<Entry>> byTenant = [];
    private readonly Dictionary<string, List<(long Version, string Id)>> deletions = [];
    private readonly Dictionary<string, (string Fingerprint, string OrderId)> keys = [];
    private long version;
    private int nextNumber;
    private int generation = 1;

    public OrderBook(TimeProvider time)
    {
        this.time = time;
        Reset();
    }

    public void Reset()
    {
        lock (gate)
        {
            byId.Clear();
            byCustomer.Clear();
            byTenant.Clear();
            deletions.Clear();
            keys.Clear();
            version = 0;
            nextNumber = OrderSeeds.FirstNumber;
            foreach (var order in OrderSeeds.All)
                Add(order, People.Find(order.CustomerId)!.Tenant);
            // Each user starts with one deleted order, so that a full synchronization has deletions too.
            foreach (var user in People.All)
                deletions[user.Id] =
                [
                    (
                        ++version,
                        $"o-{4000 + int.Parse(user.Id.AsSpan(2), System.Globalization.CultureInfo.InvariantCulture) - People.First + 1}"
                    ),
                ];
        }
    }

    public Entry? Find(string id)
    {
        lock (gate)
            return byId.GetValueOrDefault(id);
    }

    /// <summary>Returns a customer's orders below a position, newest first.</summary>
    public (List<ReadOnlyMemory<byte>> Page, int? Next) OfCustomer(string id, Paging paging) => Page(byCustomer, id, paging);

    public (List<ReadOnlyMemory<byte>> Page, int? Next) OfTenant(string id, Paging paging) => Page(byTenant, id, paging);

    /// <summary>Returns the changes since a token; null if the token is too old.</summary>
    public Changes? ChangesOf(string customer, ChangeToken? since, int limit)
    {
        lock (gate)
        {
            if (since is { } token && token.Generation != generation)
                return null;
            var after = since?.Version ?? 0;
            var changed = byCustomer
                .GetValueOrDefault(customer, [])
                .Where(e => e.Version > after)
                .Select(e => (e.Version, Order: (Entry?)e, Deleted: (string?)null));
            var deleted = deletions
                .GetValueOrDefault(customer, [])
                .Where(d => d.Version > after)
                .Select(d => (d.Version, Order: (Entry?)null, Deleted: (string?)d.Id));
            var all = changed.Concat(deleted).OrderBy(change => change.Version).Take(limit + 1).ToList();
            var page = all.Take(limit).ToList();
            return new Changes(
                [.. page.Where(c => c.Order is not null).Select(c => c.Order!.Json)],
                [.. page.Where(c => c.Deleted is not null).Select(c => c.Deleted!)],
                new ChangeToken(generation, page.Count == 0 ? after : page[^1].Version),
                all.Count > limit
            );
        }
    }

    /// <summary>
    /// Adds an order; null if the book is full. With a known key, returns the existing order, unless the request differs.
    /// </summary>
    public (Entry? Order, bool Mismatch) Create(OrderDocument draft, string tenant, string? key, string fingerprint)
    {
        lock (gate)
        {
            if (key is not null && keys.TryGetValue(key, out var known))
                return (byId[known.OrderId], known.Fingerprint != fingerprint);
            if (byId.Count >= Capacity)
                return (null, false);
            var now = time.GetUtcNow();
            var entry = Add(draft with { Id = $"o-{nextNumber}", PlacedAt = now, UpdatedAt = now }, tenant);
            if (key is not null)
                keys[key] = (fingerprint, entry.Order.Id);
            return (entry, false);
        }
    }

    /// <summary>Cancels an order; returns false if it is too late. A repeat with the same key has the first result.</summary>
    public bool Cancel(Entry entry, string? key)
    {
        lock (gate)
        {
            if (key is not null && keys.ContainsKey($"cancel {entry.Order.Id} {key}"))
                return true;
            if (entry.Order.Status is not ("pending" or "paid"))
                return false;
            if (key is not null)
                keys[$"cancel {entry.Order.Id} {key}"] = ("", entry.Order.Id);
            Change(entry, entry.Order with { Status = "cancelled", UpdatedAt = time.GetUtcNow() });
            return true;
        }
    }

    public bool SetStatus(string id, string status)
    {
        lock (gate)
        {
            if (!byId.TryGetValue(id, out var entry))
                return false;
            Change(entry, entry.Order with { Status = status, UpdatedAt = time.GetUtcNow() });
            return true;
        }
    }

    public bool Delete(string id)
    {
        lock (gate)
        {
            if (!byId.Remove(id, out var entry))
                return false;
            byCustomer[entry.Order.CustomerId].Remove(entry);
            byTenant[entry.Tenant].Remove(entry);
            ListOf(deletions, entry.Order.CustomerId).Add((++version, id));
            foreach (var key in keys.Where(k => k.Value.OrderId == id).Select(k => k.Key).ToList())
                keys.Remove(key);
            return true;
        }
    }

    /// <summary>Makes every token that was issued so far too old.</summary>
    public void ExpireTokens()
    {
        lock (gate)
            generation++;
    }

    private (List<ReadOnlyMemory<byte>>, int?) Page(Dictionary<string, List<Entry>> index, string id, Paging paging)
    {
        lock (gate)
        {
            var orders = index.GetValueOrDefault(id, []);
            var end = paging.After is { } before ? LowerBound(orders, before) : orders.Count;
            var start = Math.Max(0, end - paging.Limit);
            var page = new List<ReadOnlyMemory<byte>>(end - start);
            for (var i = end - 1; i >= start; i--)
                page.Add(orders[i].Json);
            return (page, start > 0 ? orders[start].Number : null);
        }
    }

    private static int LowerBound(List<Entry> orders, int number)
    {
        var (low, high) = (0, orders.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (orders[middle].Number < number)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private Entry Add(OrderDocument order, string tenant)
    {
        var entry = new Entry(nextNumber++, tenant, order, ++version);
        byId[order.Id] = entry;
        ListOf(byCustomer, order.CustomerId).Add(entry);
        ListOf(byTenant, tenant).Add(entry);
        return entry;
    }

    private void Change(Entry entry, OrderDocument order) => entry.Become(order, ++version);

    private static List<T> ListOf<T>(Dictionary<string, List<T>> index, string key) =>
        index.TryGetValue(key, out var list) ? list : index[key] = [];

    internal sealed class Entry(int number, string tenant, OrderDocument order, long version)
    {
        private ReadOnlyMemory<byte>? json;

        public int Number { get; } = number;
        public string Tenant { get; } = tenant;
        public OrderDocument Order { get; private set; } = order;
        public long Version { get; private set; } = version;
        public ReadOnlyMemory<byte> Json
        {
            get
            {
                lock (this)
                    return json ??= JsonSerializer.SerializeToUtf8Bytes(Order, DocumentJson.Plain.OrderDocument);
            }
        }

        public void Become(OrderDocument next, long at)
        {
            lock (this)
                (Order, Version, json) = (next, at, null);
        }
    }
}

internal sealed record Changes(List<ReadOnlyMemory<byte>> Items, List<string> Deleted, ChangeToken Next, bool HasMore);

internal readonly record struct ChangeToken(int Generation, long Version)
{
    public override string ToString() => $"ct-{Generation}-{Version}";

    public static bool TryParse(string text, out ChangeToken token)
    {
        token = default;
        var parts = text.Split('-');
        if (parts is not ["ct", var g, var v] || !int.TryParse(g, out var generation) || !long.TryParse(v, out var version))
            return false;
        token = new ChangeToken(generation, version);
        return true;
    }
}
