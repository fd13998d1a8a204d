using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Bff.Bench.Soak.Hosts;

namespace Bff.Bench.Soak.Work;

/// <summary>
/// Places orders, each under its own key and with a unique reference, until they are accepted; some are sent as two racing copies, some
/// again long afterwards. At the end the service is asked for all of them.
/// </summary>
internal sealed class Orders(World world, Sender sender)
{
    private readonly ConcurrentDictionary<string, ConcurrentBag<string>> _taken = new();
    private readonly ConcurrentQueue<string> _refused = new();
    private readonly ConcurrentDictionary<string, bool> _sent = new();
    private readonly string[] _tokens = [.. Enumerable.Range(1050, 10).Select(n => world.Token($"u-{n}"))];
    private int _last;
    private int _repeats;

    public int Sent => _sent.Count;

    public int Repeats => _repeats;

    public Task Run(double rate, CancellationToken enough) =>
        Task.WhenAll(
            Pace.Every(
                3 * rate,
                30,
                () => Place(world.Mobile, "/orders", _tokens[Random.Shared.Next(_tokens.Length)], null, "productId", enough),
                enough
            ),
            Pace.Every(3 * rate, 30, () => Place(world.Partner, "/v1/orders", world.Key, "acme", "product_id", enough), enough)
        );

    public async Task<Check> Verify()
    {
        var book = await Book();
        var broken = new List<string>(_refused);
        foreach (var (reference, ids) in _taken)
        {
            var there = book.GetValueOrDefault(reference, []);
            if (there.Count != 1 || ids.Any(id => id != there[0]))
            {
                broken.Add(
                    $"{reference}: answered as {string.Join(", ", ids.Distinct())}, in the service as {(there.Count == 0 ? "nothing" : string.Join(", ", there))}"
                );
            }
        }

        broken.AddRange(
            book.Where(o => o.Value.Count > 1 && !_taken.ContainsKey(o.Key))
                .Select(o => $"{o.Key}: in the service as {string.Join(", ", o.Value)}")
        );
        return new(
            "No order is lost, none doubled",
            $"{_sent.Count} sent, {_taken.Count} taken, {book.Count} in the service, {_repeats} repeats and races",
            broken
        );
    }

    private async Task Place(Fleet fleet, string path, string credential, string? tenant, string product, CancellationToken enough)
    {
        var reference = $"soak-{Interlocked.Increment(ref _last)}";
        var json = $$"""{"reference":"{{reference}}","currency":"EUR","items":[{"{{product}}":"p-1","quantity":1}]}""";
        _sent[reference] = true;
        var kind = Random.Shared.Next(10);
        if (kind == 0)
        {
            Interlocked.Increment(ref _repeats);
            await Task.WhenAll(Once(), Once());
            return;
        }

        await Once();
        if (kind == 1)
        {
            Interlocked.Increment(ref _repeats);
            await Task.Delay(TimeSpan.FromSeconds(Random.Shared.Next(1, 6)), CancellationToken.None);
            await Once();
        }

        async Task Once()
        {
            // An order that has begun is finished even when the load ends; no fault lasts as long as a minute.
            for (var until = world.Time.Now + 60; world.Time.Now < until; await Pace.Pause(0.3, 1))
            {
                if (fleet.Any() is not { } instance)
                {
                    continue;
                }

                var reply = await sender.Send(
                    instance,
                    Sender.Request(HttpMethod.Post, path, credential, json, ("Idempotency-Key", reference)),
                    tenant: tenant
                );
                if (reply.Status == 201)
                {
                    _taken.GetOrAdd(reference, static _ => []).Add((string)JsonNode.Parse(reply.Body)!["id"]!);
                    return;
                }

                if (reply.Status is >= 400 and < 500 and not 409 and not 429)
                {
                    _refused.Enqueue($"{reference}: {reply.Status} {reply.Body}");
                    return;
                }
            }

            if (!enough.IsCancellationRequested)
            {
                _refused.Enqueue($"{reference}: not taken within a minute");
            }
        }
    }

    /// <summary>Reads a page with retries: a broken connection on a busy machine must not cost the result of half an hour.</summary>
    private async Task<JsonNode> Page(string tenant, string cursor)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var request = Sender.Request(
                HttpMethod.Get,
                string.Create(CultureInfo.InvariantCulture, $"/orders?limit=100&cursor={cursor}"),
                headers: ("X-Tenant-Id", tenant)
            );
            request.RequestUri = new Uri(world.Services.Orders.Address, request.RequestUri!.OriginalString);
            try
            {
                using var answer = await world.Http.SendAsync(request);
                return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
            }
            catch (HttpRequestException) when (attempt < 5)
            {
                await Pace.Pause(1);
            }
        }
    }

    /// <summary>Returns the ids of each reference in the service.</summary>
    private async Task<Dictionary<string, List<string>>> Book()
    {
        var book = new Dictionary<string, List<string>>();
        foreach (var tenant in (string[])["acme", "globex", "initech"])
        {
            for (string? cursor = ""; cursor is not null; )
            {
                var page = await Page(tenant, cursor);
                foreach (var order in page["items"]!.AsArray())
                {
                    if ((string?)order!["reference"] is { } reference && reference.StartsWith("soak-", StringComparison.Ordinal))
                    {
                        (book.TryGetValue(reference, out var ids) ? ids : book[reference] = []).Add((string)order["id"]!);
                    }
                }

                cursor = (string?)page["nextCursor"];
            }
        }

        return book;
    }
}
