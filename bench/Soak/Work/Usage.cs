using System.Globalization;
using System.Text.Json.Nodes;

namespace Bff.Bench.Soak.Work;

/// <summary>
/// What the partner gateway says was used, beside what was served. The tenant globex asks one instance that is never killed and pauses
/// while writes may be lost: its usage must be exact. The tenant acme asks all of them, all the time; what an instance that is killed had
/// not written yet (two seconds, or since Redis was away) and what a failover loses is lost by its nature, and no more than that may be
/// missing.
/// </summary>
internal sealed class Usage(World world, Sender sender)
{
    private const double Interval = 3; // Sums are written every two seconds, and writing takes its time.

    public Task Run(double rate, CancellationToken enough) => Pace.Every(4 * rate, 8, Ask, enough);

    public async Task<IReadOnlyList<Check>> Verify()
    {
        await Pace.Pause(2 * Interval);
        return
        [
            await Compare("globex", world.MeterKey, "Usage of a tenant whose instance is never killed equals what was served"),
            await Compare(
                "acme",
                world.Key,
                "Usage of a tenant whose instances are killed equals what was served, but for what was not written yet"
            ),
        ];
    }

    private async Task Ask()
    {
        if (world.MayCount && world.Partner[0] is { IsServing: true } instance)
        {
            await sender.Send(instance, Sender.Request(HttpMethod.Get, "/v1/products?limit=2", world.MeterKey), tenant: "globex");
        }
    }

    private async Task<Check> Compare(string tenant, string key, string what)
    {
        var calls = sender.PartnerCalls.Where(c => c.Tenant == tenant).ToList();
        var served = calls.Count(IsCounted);
        var unanswered = calls.Count(c => c.Status == 0);
        var mayMiss = tenant == "acme" ? calls.Count(c => IsCounted(c) && MayBeUnwritten(c)) : 0;
        var reply = await Ask(key);
        if (reply is null)
        {
            return new(what, "no answer", ["The usage could not be read."]);
        }

        var counted = reply["data"]!.AsArray().Sum(row => (long)row!["requests"]! - (long)row["server_errors"]!);
        var errors = reply["data"]!.AsArray().Sum(row => (long)row!["server_errors"]!);
        var holds = counted >= served - mayMiss && counted <= served + unanswered;
        return new(
            what,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{served} served, {counted} counted; {mayMiss} may be missing, {unanswered} had no answer; "
            ) + string.Create(CultureInfo.InvariantCulture, $"5xx: {calls.Count(c => c.Status >= 500)} served, {errors} counted"),
            holds ? [] : [$"{tenant}: {counted - served} off"]
        );
    }

    /// <summary>Refusals before the caller is known count for no caller; errors of the gateway are apart.</summary>
    private static bool IsCounted(PartnerCall call) => call.Status is > 0 and < 500 and not 401;

    private bool MayBeUnwritten(PartnerCall call) =>
        (!double.IsNaN(call.Instance.KilledAt) && call.AnsweredAt >= world.Time.UnwrittenSince(call.Instance.KilledAt, Interval))
        || world.Time.Losses.Any(l =>
            call.AnsweredAt >= world.Time.UnwrittenSince(l.LosesFrom, Interval) && call.AnsweredAt <= l.LosesTo + Interval
        );

    private async Task<JsonNode?> Ask(string key)
    {
        for (var attempt = 0; attempt < 20; attempt++)
        {
            var from = DateTimeOffset.UtcNow.AddDays(-1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            if (
                world.Partner.Any() is { } instance
                && await sender.Send(instance, Sender.Request(HttpMethod.Get, "/v1/usage?from=" + from, key)) is { Status: 200 } reply
            )
            {
                return JsonNode.Parse(reply.Body);
            }

            await Pace.Pause(1);
        }

        return null;
    }
}
