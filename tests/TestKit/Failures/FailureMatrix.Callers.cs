using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Bff.TestKit.Failures;

/// <summary>Checks which caller the services see.</summary>
public sealed partial class FailureMatrix
{
    private static readonly string[] Identity =
    [
        "X-User-Id",
        "X-User-Email",
        "X-User-Roles",
        "X-OAuth-Scopes",
        "X-Tenant-Id",
        "X-Client-Id",
    ];

    /// <summary>
    /// Calls every endpoint as one caller that pretends to be another. Each service, however it is called, must see the same caller, in
    /// headers and in an assertion for that service alone. Returns the calls that differ.
    /// </summary>
    /// <param name="withoutIdentity">Routes whose services get no identity headers.</param>
    public async Task<IReadOnlyList<string>> RunIdentity(params string[] withoutIdentity)
    {
        await Eventually.True(async () =>
            (await client.GetStringAsync("/.well-known/gateway-jwks.json")).Contains("\"kid\"", StringComparison.Ordinal)
        );
        var keys = new JsonWebKeySet(await client.GetStringAsync("/.well-known/gateway-jwks.json")).GetSigningKeys();
        var (wrong, lane, told) = (new List<string>(), lanes[0], new HashSet<string>());
        foreach (var row in rows)
        {
            var (request, id) = Prepare(row, lane);
            foreach (var name in Identity.Append("X-Identity-Token"))
            {
                request.Headers.TryAddWithoutValidation(name, "admin");
                request.Headers.TryAddWithoutValidation(name.Replace('-', '_'), "admin");
            }

            request.Headers.Connection.Add("X-User-Id");
            request.Headers.Add("Cookie", "other=1");
            using var answer = await client.SendAsync(request);
            foreach (var call in services.All.SelectMany(s => CallsOf(s.Name, id)))
            {
                if (
                    call.Headers.Any(h => h.Value.ToString().Contains("admin", StringComparison.Ordinal))
                    || call.Header("Authorization") is not null
                    || call.Header("Cookie") is not null
                )
                {
                    wrong.Add($"{row}: {call.Service} got what the client sent");
                }

                var facts = string.Join(" | ", Identity.Select(call.Header));
                var assertion = call.Header("X-Identity-Token");
                if (withoutIdentity.Contains(row.Route))
                {
                    wrong.AddRange(
                        facts.Trim(' ', '|').Length > 0 || assertion is not null ? [$"{row}: {call.Service} was told of somebody"] : []
                    );
                    continue;
                }

                told.Add(facts);
                var verified = await new JsonWebTokenHandler { MapInboundClaims = false }.ValidateTokenAsync(
                    assertion,
                    new()
                    {
                        IssuerSigningKeys = keys,
                        ValidIssuer = "bff",
                        ValidAudience = call.Service,
                        ValidAlgorithms = ["ES256"],
                    }
                );
                if (call.Header("X-User-Id") != lane.User || !verified.IsValid || verified.Claims["sub"] as string != lane.User)
                {
                    wrong.Add($"{row}: {call.Service} was told '{facts}' and {verified.Exception?.Message ?? assertion}");
                }
            }
        }

        return told.Count == 1 ? wrong : [.. wrong, .. told];
    }

    /// <summary>
    /// Calls every endpoint with a token that lacks its scope: the answer must be 403, and no service may be called. Returns what was let
    /// through.
    /// </summary>
    /// <param name="token">Returns a token of a lane's caller without the scopes.</param>
    /// <param name="open">Routes that admit anybody.</param>
    public async Task<IReadOnlyList<string>> RunUnscoped(Func<FailureLane, string> token, params string[] open)
    {
        var wrong = new List<string>();
        foreach (var row in rows.Where(r => !open.Contains(r.Route)))
        {
            var (request, id) = Prepare(row, lanes[0]);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token(lanes[0]));
            using var answer = await client.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            if (
                answer.StatusCode != HttpStatusCode.Forbidden
                || (string?)JsonNode.Parse(text)!["code"] != "insufficient_scope"
                || services.All.Any(s => CallsOf(s.Name, id).Count > 0)
            )
            {
                wrong.Add($"{row}: {(int)answer.StatusCode} {text}");
            }
        }

        return wrong;
    }
}
