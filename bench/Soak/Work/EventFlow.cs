using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Bff.TestKit;

namespace Bff.Bench.Soak.Work;

/// <summary>An event with the times of the first attempt to publish it and of its 202.</summary>
internal sealed record Published(int Number, double FirstTried, double Accepted);

/// <summary>
/// Publishes events in order for each user, each until it is accepted. Reads them as server-sent events, over streams that break and go on
/// elsewhere, and receives them as webhooks at two endpoints.
/// </summary>
internal sealed class EventFlow(World world, Sender sender)
{
    private static readonly string[] Users = ["u-1001", "u-1003", "u-1010", "u-1013", "u-1016", "u-1019"];
    private readonly ConcurrentDictionary<string, ConcurrentQueue<Published>> _published = new(
        Users.ToDictionary(u => u, _ => new ConcurrentQueue<Published>())
    );

    private readonly List<EventReader> _readers = [.. Users.Select((user, i) => new EventReader(world, sender, user, signsIn: i < 2))];
    private readonly ConcurrentQueue<string> _stuck = new();
    private readonly string _service = world.Token("soak", "events.publish");

    public int Count => _published.Values.Sum(p => p.Count);

    /// <summary>Registers the partner's receivers with the gateway before faults begin.</summary>
    public async Task Subscribe()
    {
        foreach (var receiver in (Receiver[])[world.Sound, world.Flaky])
        {
            var reply = await sender.Send(
                world.Partner.Any()!,
                Sender.Request(HttpMethod.Post, "/v1/webhook-endpoints", world.Key, $$"""{"url":"{{receiver.Url}}","types":["*"]}"""),
                tenant: "acme"
            );
            if (reply.Status != 201)
            {
                throw new InvalidOperationException($"A webhook endpoint was answered {reply.Status}: {reply.Body}");
            }
        }
    }

    public async Task Run(double rate, CancellationToken enough, CancellationToken settled)
    {
        var reading = _readers.ConvertAll(r => Task.Run(() => r.Run(settled), CancellationToken.None));
        await Task.WhenAny(Task.WhenAll(_readers.Select(r => r.Opened)), Task.Delay(TimeSpan.FromSeconds(30), CancellationToken.None));
        await Task.WhenAll(Users.Select(user => Publish(user, rate, enough, settled)));
        await Task.WhenAll(reading);
    }

    /// <summary>Whether every event has arrived.</summary>
    public bool HasSettled() =>
        _readers.All(r => _published[r.User].LastOrDefault() is not { } last || r.Seen.Any(s => s.Number == last.Number))
        && Missing(world.Sound).Count == 0
        && Missing(world.Flaky).Count == 0;

    public IReadOnlyList<Check> Verify()
    {
        var losses = world.Time.Losses.ToList();
        var verdicts = _readers.ConvertAll(r => r.Verify([.. _published[r.User]]));
        var accepted = _published.Values.Sum(p => p.Count);
        var resets = _readers.Sum(r => r.Resets.Count);
        return
        [
            new(
                "No accepted event is missing in a stream, none comes twice or out of order",
                $"{accepted} accepted, {_readers.Sum(r => r.Seen.Count)} read over {_readers.Sum(r => r.Connections)} connections; {resets} resets; "
                    + $"failovers that lose writes explain {verdicts.Sum(v => v.ExplainedMissing)} missing and {verdicts.Sum(v => v.ExplainedRepeats)} repeated",
                [.. verdicts.SelectMany(v => v.Broken)]
            ),
            new(
                "No signed-in reader is signed out by a fault",
                $"{_readers.Sum(r => r.SignOuts.Count)} signed out",
                [.. _readers.SelectMany(r => r.SignOuts).Where(at => !losses.Exists(l => at >= l.LosesFrom)).Select(at => $"at {at:F1} s")]
            ),
            new("Every event is accepted within two minutes", $"{accepted} accepted", _stuck),
            OfWebhooks("takes everything", world.Sound),
            OfWebhooks("refuses every tenth", world.Flaky),
        ];
    }

    private Check OfWebhooks(string which, Receiver receiver)
    {
        var all = receiver.All.ToList();
        var missing = Missing(receiver);
        var explained = missing.Count(m => world.Time.MayBeLost(m.Event.FirstTried, m.Event.Accepted));
        var twoIds = all.GroupBy(Key)
            .Where(g => g.Select(r => r.Id).Distinct().Count() > 1)
            .Select(g => g.Key)
            .Where(k =>
                _published[k.User].FirstOrDefault(p => p.Number == k.Number) is not { } p || !world.Time.MayBeLost(p.FirstTried, p.Accepted)
            )
            .ToList();
        return new(
            $"Every accepted event reaches the webhook endpoint that {which}, under one id",
            $"{_published.Values.Sum(p => p.Count)} accepted, {all.Count} deliveries, {all.Select(r => r.Id).Distinct().Count()} ids; "
                + $"{missing.Count} missing, of which failovers that lose writes explain {explained}",
            [
                .. missing
                    .Where(m => !world.Time.MayBeLost(m.Event.FirstTried, m.Event.Accepted))
                    .Select(m => $"{m.User} {m.Event.Number}, accepted at {m.Event.Accepted:F1} s, is missing"),
                .. twoIds.Select(k => $"{k.User} {k.Number} came under two ids"),
            ]
        );
    }

    private List<(string User, Published Event)> Missing(Receiver receiver)
    {
        var there = receiver.All.Select(Key).ToHashSet();
        return [.. _published.SelectMany(p => p.Value.Select(e => (p.Key, e))).Where(e => !there.Contains((e.Key, e.e.Number)))];
    }

    private static (string User, int Number) Key(Received received)
    {
        var data = JsonNode.Parse(received.Body)!["data"]!;
        return ((string)data["u"]!, (int)data["n"]!);
    }

    private async Task Publish(string user, double rate, CancellationToken enough, CancellationToken settled)
    {
        for (var n = 0; !enough.IsCancellationRequested; n++)
        {
            var json = string.Create(
                CultureInfo.InvariantCulture,
                $$$"""{"specversion":"1.0","id":"{{{user}}}-{{{n}}}","source":"/soak","type":"soak.counted","tenantid":"acme","userid":"{{{user}}}","data":{"u":"{{{user}}}","n":{{{n}}}}}"""
            );
            var first = world.Time.Now;
            var last = default(Reply);
            while (true)
            {
                if (settled.IsCancellationRequested || world.Time.Now > first + 120)
                {
                    _stuck.Enqueue($"{user} {n}, first tried at {first:F1} s, was not taken: {last.Status} {last.Body}");
                    return;
                }

                var fleet = world.Fleets[Random.Shared.Next(world.Fleets.Count)];
                if (fleet.Any() is { } instance)
                {
                    var request = Sender.Request(HttpMethod.Post, "/internal/events", _service, json);
                    request.Content!.Headers.ContentType = new("application/cloudevents+json");
                    last = await sender.Send(instance, request);
                    if (last.Status == 202)
                    {
                        break;
                    }
                }

                await Pace.Pause(0.2, 0.6); // As a service does, it repeats until the event is accepted.
            }

            _published[user].Enqueue(new(n, first, world.Time.Now));
            await Pace.Pause(0.5 / rate, 1.5 / rate);
        }
    }
}
