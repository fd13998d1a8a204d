using System.Globalization;
using Bff.Audit;
using Bff.Callers.ApiKeys;
using Bff.Edge;
using Bff.Paging;
using Bff.Requests;
using Microsoft.AspNetCore.Http.HttpResults;

namespace PartnerBff.Features.Keys;

/// <summary>Manages a tenant's API keys. A test credential sees and creates only test keys.</summary>
internal static class ApiKeyOperations
{
    private const int DefaultOverlapSeconds = 86_400;
    private const int MaxOverlapSeconds = 30 * 86_400;
    private const int MaxName = 100;
    private const int MaxAddresses = 100;

    public static async Task<IResult> List(HttpContext context, Caller caller, ApiKeyRegistry keys, Cursors cursors)
    {
        var limit = Limit.Parse(context).Value;
        var pages = await cursors.For("partner/api-keys", caller);
        var after = await pages.Open(context);
        var all = await Visible(caller, keys, context.RequestAborted);
        var rest = all.Where(k => after is null || string.CompareOrdinal(Position(k), after) < 0).Take(limit + 1).ToList();
        var hasMore = rest.Count > limit;
        var page = rest.Take(limit).ToList();
        var next = hasMore ? pages.Seal(Position(page[^1])) : null;
        if (NextLink.Of(context, next) is { } link)
        {
            context.Response.Headers.Link = link;
        }

        return TypedResults.Json(
            new Page<KeyContract>([.. page.Select(k => KeyContract.Of(k))], hasMore, next),
            PartnerJson.Answers.PageKeyContract
        );
    }

    public static async Task<IResult> Create(HttpContext context, Caller caller, ApiKeyRegistry keys, TimeProvider time)
    {
        var body = await JsonBody.Read(context, PartnerJson.Default.NewKeyRequest, context.RequestAborted);
        if (!body.TryGet(out var request, out var problem))
        {
            return problem;
        }

        if (Mistakes(request, time) is { Count: > 0 } mistakes)
        {
            return new Problem(ProblemCodes.ValidationFailed) { Errors = mistakes };
        }

        var isTest = request.Mode is { } mode ? mode == "test" : caller.IsSandbox;
        if (caller.IsSandbox && !isTest)
        {
            return new Problem(ProblemCodes.Forbidden)
            {
                Detail = "A test key cannot create live keys. Use a live key, or set mode to test.",
            };
        }

        var end = KeyGrant.End(caller, request.ExpiresAt);
        var addresses = KeyGrant.Addresses(caller, request.AllowedAddresses);
        if (KeyGrant.Excess(caller, request.Scopes, end, addresses) is { } excess)
        {
            return excess;
        }

        var made = await keys.Create(
            caller.Tenant!,
            request.Name,
            [.. request.Scopes.Distinct()],
            isTest,
            end,
            context.RequestAborted,
            by: ChangedBy.Of(context),
            allowedAddresses: addresses
        );
        return made is null
            ? new Problem(ProblemCodes.Conflict)
            {
                Detail = $"There are {ApiKeyRegistry.MaxKeys} keys already. Delete those that are not used.",
            }
            : Made(made, null);
    }

    public static async Task<IResult> Rotate(HttpContext context, string id, Caller caller, ApiKeyRegistry keys, TimeProvider time)
    {
        var overlap = DefaultOverlapSeconds;
        if (RequestBody.IsSent(context))
        {
            var body = await JsonBody.Read(context, PartnerJson.Default.RotateKeyRequest, context.RequestAborted);
            if (!body.TryGet(out var request, out var problem))
            {
                return problem;
            }

            overlap = request.OverlapSeconds ?? DefaultOverlapSeconds;
        }

        if (overlap is < 0 or > MaxOverlapSeconds)
        {
            return Problem.Invalid("overlap_seconds", $"Must be from 0 to {MaxOverlapSeconds}.");
        }

        if (await Find(id, caller, keys, context.RequestAborted) is not { } previous || previous.IsExpired(time.GetUtcNow()))
        {
            return new Problem(ProblemCodes.NotFound);
        }

        if (KeyGrant.Excess(caller, previous.Scopes, previous.EndWhenRotated, previous.AllowedAddresses) is { } excess)
        {
            return excess;
        }

        return await keys.Rotate(previous, TimeSpan.FromSeconds(overlap), context.RequestAborted, ChangedBy.Of(context)) is var (made, end)
            ? Made(made, end)
            : new Problem(ProblemCodes.NotFound);
    }

    public static async Task<IResult> Delete(HttpContext context, string id, Caller caller, ApiKeyRegistry keys)
    {
        if (await Find(id, caller, keys, context.RequestAborted) is not { } key)
        {
            return new Problem(ProblemCodes.NotFound);
        }

        await keys.Delete(key, CancellationToken.None, ChangedBy.Of(context)); // Completes the revocation even if the client disconnects.
        return TypedResults.NoContent();
    }

    private static JsonHttpResult<KeyContract> Made(NewApiKey made, DateTimeOffset? previousExpiresAt) =>
        TypedResults.Json(
            KeyContract.Of(made.Record, made.Key, previousExpiresAt),
            PartnerJson.Answers.KeyContract,
            statusCode: StatusCodes.Status201Created
        );

    // A live credential manages keys of both modes, a test credential only test keys.
    private static async Task<IReadOnlyList<ApiKeyRecord>> Visible(Caller caller, ApiKeyRegistry keys, CancellationToken cancellation)
    {
        var test = await keys.List(caller.Tenant!, isTest: true, cancellation);
        return caller.IsSandbox
            ? test
            :
            [
                .. test.Concat(await keys.List(caller.Tenant!, isTest: false, cancellation))
                    .OrderByDescending(Position, StringComparer.Ordinal),
            ];
    }

    private static async Task<ApiKeyRecord?> Find(string id, Caller caller, ApiKeyRegistry keys, CancellationToken cancellation) =>
        (await Visible(caller, keys, cancellation)).FirstOrDefault(k => k.Id == id);

    private static string Position(ApiKeyRecord key) =>
        string.Create(CultureInfo.InvariantCulture, $"{key.CreatedAt.UtcTicks:D19}{key.Id}");

    /// <summary>Returns the mistakes in a request for a key.</summary>
    public static Dictionary<string, string[]> Mistakes(NewKeyRequest request, TimeProvider time)
    {
        var mistakes = new Dictionary<string, string[]>();
        if (string.IsNullOrWhiteSpace(request.Name) || !TextLength.IsAtMost(request.Name, MaxName) || request.Name.Any(char.IsControl))
        {
            mistakes["name"] = [$"Must have 1 to {MaxName} characters, none of them a control character."];
        }

        if (request.Scopes.Count == 0 || request.Scopes.Any(s => !PartnerScopes.All.Contains(s)))
        {
            mistakes["scopes"] = ["Must be at least one of " + string.Join(", ", PartnerScopes.All) + "."];
        }

        if (request.Mode is not (null or "live" or "test"))
        {
            mistakes["mode"] = ["Must be live or test."];
        }

        if (
            request.AllowedAddresses is { } networks
            && (networks.Count > MaxAddresses || networks.Any(n => !AddressNetworks.TryParse(n, out _)))
        )
        {
            mistakes["allowed_addresses"] = [$"Must be at most {MaxAddresses} networks such as 203.0.113.0/24, or single addresses."];
        }

        if (request.ExpiresAt <= time.GetUtcNow())
        {
            mistakes["expires_at"] = ["Must be in the future."];
        }

        return mistakes;
    }
}
