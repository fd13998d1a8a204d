using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Bff.Bench.Soak.Hosts;

namespace Bff.Bench.Soak.Work;

/// <summary>
/// Makes tokens, API keys and sessions, opens streams with them, revokes them (or lets them expire), and keeps trying them on every
/// instance. A revocation that was answered while writes were being lost is repeated afterwards, as an operator would, and counts from then
/// on.
/// </summary>
internal sealed class Credentials(World world, Sender sender)
{
    /// <summary>The allowed clock skew plus one second.</summary>
    private const double ExpiryLimit = 31;

    /// <summary>Seconds that a client on two busy cores needs to notice that a stream has ended.</summary>
    private const double Notice = 0.5;

    private static readonly double[] Ages = [1, 1.2, 1.5, 2, 3, 4, 6, 9, 14, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597];
    private readonly ConcurrentBag<Credential> _all = [];
    private readonly string _service = world.Token("soak", "tokens.revoke");
    private int _last;

    public int Count => _all.Count;

    public Task Run(double rate, CancellationToken enough, CancellationToken settled) =>
        Pace.Every(0.25 * rate, 400, () => Live(enough, settled), enough);

    public IReadOnlyList<Check> Verify()
    {
        var revoked = _all.Where(c => !double.IsNaN(c.Revoked.Answered)).ToList();
        var late = revoked
            .SelectMany(c =>
                c.Accepted.Where(a => a.SentAt > world.Time.KnownBy(c.Revoked.Answered)).Select(a => (Credential: c, a.SentAt, a.Instance))
            )
            .ToList();
        var explained = revoked.Sum(c => c.Accepted.Count) - late.Count;
        var streams = _all.SelectMany(c => c.Streams.Select(s => (Credential: c, Stream: s, Lag: s.EndedAt - EndOf(c))))
            .Where(s => !double.IsNaN(s.Lag))
            .ToList();
        var kinds = streams
            .GroupBy(s => s.Stream.Kind + " of " + s.Credential.Kind)
            .OrderBy(g => g.Key)
            .Select(g => $"{g.Count()} × {g.Key}");
        var open = streams.Where(s => s.Lag > 0).ToList();
        return
        [
            new(
                "No revoked credential is accepted after its second",
                string.Join(", ", revoked.GroupBy(c => c.Kind).OrderBy(g => g.Key).Select(g => $"{g.Count()} × {g.Key}"))
                    + $"; {revoked.Sum(c => c.Probes)} requests with them; {explained} were served while Redis could not be read; "
                    + $"{revoked.Sum(c => c.Repeated)} revocations repeated after a loss",
                [
                    .. late.Select(l =>
                        $"{l.Credential.Kind} revoked at {l.Credential.Revoked.Answered:F1} s accepted by "
                        + $"{l.Instance.Gateway} {l.Instance.At} at {l.SentAt:F1} s"
                    ),
                ]
            ),
            new(
                "Every stream ends with the credential it was opened with",
                $"{streams.Count} that were to end ({string.Join(", ", kinds)})",
                [
                    .. open.Select(s =>
                        $"{s.Stream.Kind} of {s.Credential.Kind} on {s.Stream.Instance.Gateway} {s.Stream.Instance.At} went on "
                        + (double.IsInfinity(s.Lag) ? "to the end" : $"for {s.Lag:F1} s too long")
                        + $" (due at {EndOf(s.Credential):F1} s)"
                    ),
                ]
            ),
        ];
    }

    /// <summary>Returns the time by which a stream opened with the credential must have ended.</summary>
    private double EndOf(Credential credential) =>
        double.IsNaN(credential.Expires) ? world.Time.KnownBy(credential.Revoked.Answered) + Notice : credential.Expires + ExpiryLimit;

    private async Task Live(CancellationToken enough, CancellationToken settled)
    {
        if (await Make() is not { } credential)
        {
            return; // A service that it needs was away.
        }

        foreach (var instance in credential.Fleets.SelectMany(f => f.Serving).ToList())
        {
            await sender.Send(instance, credential.Use(Of(instance)), tenant: credential.Tenant); // Every instance has seen the credential.
        }

        await OpenStreams(credential, settled);
        _all.Add(credential);
        await Pace.Pause(0.5, 3);
        if (credential.Revoke is not null && await Revoke(credential, enough))
        {
            await Probe(credential, enough);
        }
    }

    private Fleet Of(Instance instance) => world.Fleets.First(f => f.Gateway == instance.Gateway);

    private async Task OpenStreams(Credential credential, CancellationToken settled)
    {
        if (!credential.Fleets.Contains(world.Web))
        {
            return;
        }

        using var use = credential.Use(world.Web);
        var header = use.Headers.Contains("Cookie") ? "Cookie" : "Authorization";
        var value = (header, use.Headers.NonValidated[header].ToString());
        foreach (
            var open in (Func<World, Instance, (string, string), CancellationToken, Task<OpenStream?>>[])
                [OpenStream.Events, OpenStream.Socket]
        )
        {
            if (world.Web.Any() is { } instance && await open(world, instance, value, settled) is { } stream)
            {
                credential.Streams.Add(stream);
            }
        }
    }

    private async Task<bool> Revoke(Credential credential, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            var asked = world.Time.Now;
            if (await credential.Revoke!())
            {
                credential.Revoked = (asked, world.Time.Now);
                return true;
            }

            await Pace.Pause(0.2, 0.6);
        }

        return false;
    }

    private async Task Probe(Credential credential, CancellationToken enough)
    {
        for (var next = 0; next < Ages.Length && !enough.IsCancellationRequested; next++)
        {
            while (!enough.IsCancellationRequested && world.Time.Now < credential.Revoked.Answered + Ages[next])
            {
                await Pace.Pause(Math.Clamp(credential.Revoked.Answered + Ages[next] - world.Time.Now, 0.01, 1));
            }

            if (world.Time.MayBeLost(credential.Revoked.Asked, credential.Revoked.Answered))
            {
                credential.Accepted.Clear();
                credential.Repeated++;
                next = -1;
                await Pace.Pause(1);
                if (!await Revoke(credential, enough))
                {
                    credential.Revoked = (double.NaN, double.NaN);
                    return;
                }

                continue;
            }

            await Task.WhenAll(credential.Fleets.SelectMany(f => f.Serving).Select(i => Try(credential, i)));
        }
    }

    private async Task Try(Credential credential, Instance instance)
    {
        var sent = world.Time.Now;
        credential.Probes++;
        if ((await sender.Send(instance, credential.Use(Of(instance)), world.Strangers, credential.Tenant)).IsGood)
        {
            credential.Accepted.Enqueue((sent, instance));
        }
    }

    private async Task<Credential?> Make()
    {
        var n = Interlocked.Increment(ref _last);
        var user = string.Create(CultureInfo.InvariantCulture, $"u-{1061 + (n % 40)}");
        switch (n % 5)
        {
            case 0:
                var jti = Guid.NewGuid().ToString("N");
                var named = world.Identity.MintToken(
                    new()
                    {
                        Sub = user,
                        ExpiresIn = TimeSpan.FromHours(2),
                        Extra = new() { ["jti"] = jti },
                    }
                );
                return OfToken("token by jti", named, $$"""{"jti":"{{jti}}"}""");
            case 1:
                var token = world.Token(user);
                var before = DateTimeOffset.UtcNow.AddSeconds(1).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
                return OfToken("token by sub", token, $$"""{"sub":"{{user}}","issuedBefore":"{{before}}"}""");
            case 2:
                var life = Random.Shared.Next(5, 20);
                var expires = world.Time.Now + life;
                return OfToken("token that expires", world.Token(user, life: TimeSpan.FromSeconds(life)), null, expires);
            case 3:
                return await OfKey();
            default:
                return await OfSession(user);
        }
    }

    private Credential OfToken(string kind, string token, string? revocation, double expires = double.NaN) =>
        new(kind)
        {
            Fleets = [world.Mobile, world.Web],
            Use = fleet => Sender.Request(HttpMethod.Get, fleet == world.Mobile ? "/orders?limit=1" : "/api/orders?limit=1", token),
            Expires = expires,
            Revoke = revocation is null
                ? null
                : async () =>
                    world.Fleets[Random.Shared.Next(world.Fleets.Count)].Any() is { } instance
                    && (await sender.Send(instance, Sender.Request(HttpMethod.Post, "/internal/revocations", _service, revocation))).Status
                        == 204,
        };

    private async Task<Credential?> OfKey()
    {
        const string Json = """{"name":"soak","scopes":["orders.read"]}""";
        if (
            world.Partner.Any() is not { } maker
            || await sender.Send(maker, Sender.Request(HttpMethod.Post, "/v1/api-keys", world.Key, Json), tenant: "acme")
                is not { Status: 201 } made
        )
        {
            return null;
        }

        var (id, key) = ((string)JsonNode.Parse(made.Body)!["id"]!, (string)JsonNode.Parse(made.Body)!["key"]!);
        return new("API key")
        {
            Fleets = [world.Partner],
            Tenant = "acme",
            Use = _ => Sender.Request(HttpMethod.Get, "/v1/orders?limit=1", key),
            // 404: an earlier attempt, whose answer was lost, has revoked the key.
            Revoke = async () =>
                world.Partner.Any() is { } instance
                && (await sender.Send(instance, Sender.Request(HttpMethod.Delete, "/v1/api-keys/" + id, world.Key), tenant: "acme")).Status
                    is 204
                        or 404,
        };
    }

    private async Task<Credential?> OfSession(string user)
    {
        if (await Browser.SignIn(world, sender, user) is not { } browser || await browser.SignOutPath(world, sender) is not { } exit)
        {
            return null;
        }

        return new("session")
        {
            Fleets = [world.Web],
            Use = _ => Sender.Request(HttpMethod.Get, "/api/orders?limit=1", headers: [browser.Credential, ("X-CSRF", "1")]),
            Revoke = async () =>
                world.Web.Any() is { } instance
                && (await sender.Send(instance, Sender.Request(HttpMethod.Get, exit, headers: [browser.Credential]))).Status == 302,
        };
    }
}
