using Bff.Audit;
using Bff.Edge;
using Bff.Events;
using Bff.Paging;
using Bff.Requests;
using PartnerBff.Webhooks;
using PartnerBff.Webhooks.Addresses;
using PartnerBff.Webhooks.Delivery;
using PartnerBff.Webhooks.Stores;

namespace PartnerBff.Features.Webhooks;

/// <summary>Serves <c>/webhook-endpoints</c>: create, list, get, change, delete, rotate the secret.</summary>
internal static class WebhookEndpoints
{
    private const int DefaultOverlap = 86_400;
    private const int MaxOverlap = 30 * 86_400;

    private static PartnerJson Json => PartnerJson.Answers;

    /// <summary>Creates an endpoint. The tenant is watched first, so that every event accepted after the answer is delivered.</summary>
    public static async Task<IResult> Create(
        HttpContext context,
        Caller caller,
        IWebhookStore store,
        IEventQueue queue,
        WebhookSecrets secrets,
        WebhookUrl urls,
        TimeProvider time,
        CancellationToken cancellation
    )
    {
        var body = await JsonBody.Read(context, PartnerJson.Default.WebhookEndpointRequest, cancellation);
        if (!body.TryGet(out var request, out var problem))
        {
            return problem;
        }

        var (made, refusal) = await Add(caller, request, store, queue, secrets, urls, time, ChangedBy.Of(context), cancellation);
        if (made is null)
        {
            return refusal!;
        }

        context.Response.Headers.Location = PublicUrl.Of(context) + context.Request.Path + "/" + made.Endpoint.Id;
        return TypedResults.Json(
            WebhookEndpointWithSecret.Of(made.Endpoint, made.Secret),
            Json.WebhookEndpointWithSecret,
            statusCode: StatusCodes.Status201Created
        );
    }

    /// <summary>Adds an endpoint of the caller, or returns why not.</summary>
    public static async Task<(EndpointAndSecret? Made, Problem? Refusal)> Add(
        Caller caller,
        WebhookEndpointRequest request,
        IWebhookStore store,
        IEventQueue queue,
        WebhookSecrets secrets,
        WebhookUrl urls,
        TimeProvider time,
        ChangedBy by,
        CancellationToken cancellation
    )
    {
        var owner = WebhookRules.Owner(caller);
        if (WebhookRules.Objection(urls, request.Url ?? "", request.Types, request.Description) is { } objection)
        {
            return (null, objection);
        }

        if ((await store.List(owner, cancellation)).Count >= WebhookRules.MaxEndpoints)
        {
            return (
                null,
                new Problem(ProblemCodes.Conflict)
                {
                    Detail = $"There are {WebhookRules.MaxEndpoints} webhook endpoints already. Delete those that are not used.",
                }
            );
        }

        if (!caller.IsSandbox)
        {
            await queue.Watch(caller.Tenant!, cancellation);
        }

        var id = "we_" + Guid.CreateVersion7().ToString("N");
        var secret = WebhookSigning.NewSecret();
        var endpoint = new WebhookEndpoint
        {
            Id = id,
            Owner = owner,
            Url = request.Url!,
            Types = request.Types ?? ["*"],
            Description = request.Description,
            CreatedAt = time.GetUtcNow(),
            Secrets = [await secrets.Seal(id, secret, cancellation)],
        };
        await store.Add(endpoint, cancellation, WebhookAudit.Created(by, caller.Tenant!, endpoint));
        return (new(endpoint, WebhookSigning.Show(secret)), null);
    }

    public static async Task<IResult> List(
        HttpContext context,
        Caller caller,
        IWebhookStore store,
        Cursors cursors,
        CancellationToken cancellation
    )
    {
        var page = await ListPage.Of(context, cursors, "webhook-endpoints");
        var all = await store.List(WebhookRules.Owner(caller), cancellation);
        return page.Answer(
            context,
            all.Skip(page.Skip).Take(page.Limit + 1).Select(WebhookEndpointContract.Of),
            Json.PageWebhookEndpointContract
        );
    }

    public static async Task<IResult> Get(string id, Caller caller, IWebhookStore store, CancellationToken cancellation) =>
        Answer(await store.Find(WebhookRules.Owner(caller), id, cancellation));

    public static async Task<IResult> Change(
        HttpContext context,
        string id,
        Caller caller,
        IWebhookStore store,
        WebhookUrl urls,
        TimeProvider time,
        CancellationToken cancellation
    )
    {
        var body = await JsonBody.Read(context, PartnerJson.Default.WebhookEndpointChange, cancellation);
        if (!body.TryGet(out var change, out var problem))
        {
            return problem;
        }

        return WebhookRules.Objection(urls, change.Url, change.Types, change.Description) is { } objection
            ? objection
            : Answer(
                await store.Change(
                    WebhookRules.Owner(caller),
                    id,
                    e =>
                        (
                            e with
                            {
                                Url = change.Url ?? e.Url,
                                Types = change.Types ?? e.Types,
                                Description = change.IsDescriptionGiven ? change.Description : e.Description,
                            }
                        ).Switch(change.Enabled ?? e.Enabled, time.GetUtcNow()),
                    cancellation,
                    WebhookAudit.Changed(ChangedBy.Of(context), caller.Tenant!)
                )
            );
    }

    public static async Task<IResult> Delete(
        HttpContext context,
        string id,
        Caller caller,
        IWebhookStore store,
        CancellationToken cancellation
    ) =>
        await store.Delete(WebhookRules.Owner(caller), id, cancellation, WebhookAudit.Deleted(ChangedBy.Of(context), caller.Tenant!, id))
            ? TypedResults.NoContent()
            : new Problem(ProblemCodes.NotFound);

    public static async Task<IResult> RotateSecret(
        HttpContext context,
        string id,
        Caller caller,
        IWebhookStore store,
        WebhookSecrets secrets,
        TimeProvider time,
        CancellationToken cancellation
    )
    {
        var overlap = DefaultOverlap;
        if (RequestBody.IsSent(context))
        {
            var body = await JsonBody.Read(context, PartnerJson.Default.RotateSecretRequest, cancellation);
            if (!body.TryGet(out var request, out var problem))
            {
                return problem;
            }

            overlap = request.OverlapSeconds ?? DefaultOverlap;
        }

        if (overlap is < 0 or > MaxOverlap)
        {
            return Problem.Invalid("overlap_seconds", $"Must be from 0 to {MaxOverlap}.");
        }

        return
            await Rotate(caller, id, TimeSpan.FromSeconds(overlap), store, secrets, time, ChangedBy.Of(context), cancellation)
                is { } rotated
            ? TypedResults.Json(WebhookEndpointWithSecret.Of(rotated.Endpoint, rotated.Secret), Json.WebhookEndpointWithSecret)
            : new Problem(ProblemCodes.NotFound);
    }

    /// <summary>
    /// Gives the caller's endpoint a new secret; the old one also signs during the overlap. Returns null if there is no such endpoint.
    /// </summary>
    public static async Task<EndpointAndSecret?> Rotate(
        Caller caller,
        string id,
        TimeSpan overlap,
        IWebhookStore store,
        WebhookSecrets secrets,
        TimeProvider time,
        ChangedBy by,
        CancellationToken cancellation
    )
    {
        var secret = WebhookSigning.NewSecret();
        var boxed = await secrets.Seal(id, secret, cancellation);
        var now = time.GetUtcNow();
        var until = now + overlap;
        var endpoint = await store.Change(
            WebhookRules.Owner(caller),
            id,
            e =>
                e with
                {
                    // An old secret that was to end earlier still does.
                    Secrets =
                    [
                        boxed,
                        .. e
                            .Secrets.Where(s => overlap > TimeSpan.Zero && (s.Until ?? until) > now)
                            .Select(s => s with { Until = s.Until < until ? s.Until : until })
                            .Take(3),
                    ],
                },
            cancellation,
            WebhookAudit.SecretRotated(by, caller.Tenant!)
        );
        return endpoint is null ? null : new(endpoint, WebhookSigning.Show(secret));
    }

    private static IResult Answer(WebhookEndpoint? endpoint) =>
        endpoint is null
            ? new Problem(ProblemCodes.NotFound)
            : TypedResults.Json(WebhookEndpointContract.Of(endpoint), Json.WebhookEndpointContract);
}

/// <summary>An endpoint and its new secret, which is shown only once.</summary>
internal sealed record EndpointAndSecret(WebhookEndpoint Endpoint, string Secret);
