using System.Globalization;
using System.Text.Json.Nodes;

namespace Bff.Bench.Soak.Work;

/// <summary>
/// Compares the usage that the partner gateway reports with the requests served. The tenant globex calls one instance that is never killed,
/// and pauses while writes may be lost, so its usage must be exact. The tenant acme calls all instances all the time. Its usage may miss
/// only what a killed instance had not written yet (two seconds, or since Redis was away) and what a failover loses.
/// </summary>
internal sealed class Usage(World world, Sender sender)
{
    private const double Interval = 3; // Sums are written every two seconds, and writing takes some time.

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

    /// <summary>
    /// Whether a call is counted: refusals before the caller is known count for no caller, and gateway errors are counted apart.
    /// </summary>
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
