using System.Globalization;
using Bff.Audit;
using Bff.Callers.ApiKeys;
using Bff.Edge;
using PartnerBff.Features.Keys;
using PartnerBff.Portal.Pages;

namespace PartnerBff.Portal.Keys;

/// <summary>Manages the tenant's API keys on pages, as <c>/v1/api-keys</c> does for programs.</summary>
internal static class ManageKeys
{
    private static readonly TimeSpan Soon = TimeSpan.FromDays(7);

    public static async Task<IResult> List(HttpContext context, PortalViewer viewer, ApiKeyRegistry keys, TimeProvider time)
    {
        var now = time.GetUtcNow();
        var all = await All(viewer, keys, context.RequestAborted);
        var rows = all.Select(k => Row(k, now)).OrderBy(r => r.HasEnded).ThenByDescending(r => r.CreatedAt).ToList();
        var notice = context.Request.Query["done"] is ["revoked"]
            ? "The key has been revoked. It stops working everywhere within a second."
            : null;
        return await PortalPage.Of<KeysPage, KeyList>(context, viewer, new(rows, notice));
    }

    public static Task<IResult> New(HttpContext context, PortalViewer viewer) =>
        Form(context, viewer, new("", ["orders.read", "products.read", "inventory.read"], "test", "90", NoErrors));

    public static async Task<IResult> Create(HttpContext context, PortalViewer viewer, ApiKeyRegistry keys, TimeProvider time)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var scopes = form["scopes"].OfType<string>().Distinct().ToList();
        var expiry = form["expiry"].ToString();
        var mode = form["mode"].ToString();
        var name = form["name"].ToString().Trim();
        var asked = new NewKeyRequest(name, scopes, mode.Length == 0 ? "?" : mode, Expiry(expiry, time.GetUtcNow()));
        var mistakes = ApiKeyOperations.Mistakes(asked, time);
        if (!KeyForm.Expiries.Any(e => e.Days == expiry))
        {
            mistakes["expires_at"] = ["Choose a value from the list."];
        }

        if (mistakes.Count == 0)
        {
            if (
                await keys.Create(
                    viewer.Tenant,
                    name,
                    scopes,
                    mode == "test",
                    asked.ExpiresAt,
                    context.RequestAborted,
                    by: ChangedBy.Of(context)
                ) is
                { } made
            )
            {
                return await Show(context, viewer, made, null, time);
            }

            mistakes["name"] = [$"There are {ApiKeyRegistry.MaxKeys} keys already. Revoke those that are not used."];
        }

        return await Form(context, viewer, new(name, scopes, mode, expiry, mistakes), StatusCodes.Status422UnprocessableEntity);
    }

    public static async Task<IResult> Rotate(HttpContext context, string id, PortalViewer viewer, ApiKeyRegistry keys, TimeProvider time)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var overlap = form["overlap"].ToString() switch
        {
            "0" => TimeSpan.Zero,
            "3600" => TimeSpan.FromHours(1),
            "604800" => TimeSpan.FromDays(7),
            _ => TimeSpan.FromDays(1),
        };
        return
            await Find(id, viewer, keys, context.RequestAborted) is { } key
            && !key.IsExpired(time.GetUtcNow())
            && await keys.Rotate(key, overlap, CancellationToken.None, ChangedBy.Of(context)) is var (made, end)
            ? await Show(context, viewer, made, end, time)
            : await PortalPage.NotFound(context);
    }

    public static async Task<IResult> Revoke(HttpContext context, string id, PortalViewer viewer, ApiKeyRegistry keys)
    {
        if (await Find(id, viewer, keys, context.RequestAborted) is not { } key)
        {
            return await PortalPage.NotFound(context);
        }

        await keys.Delete(key, CancellationToken.None, ChangedBy.Of(context)); // Completes the revocation even if the browser disconnects.
        return new SeeOther("/portal/keys?done=revoked");
    }

    private static readonly Dictionary<string, string[]> NoErrors = [];

    private static Task<IResult> Form(HttpContext context, PortalViewer viewer, KeyForm form, int status = StatusCodes.Status200OK) =>
        PortalPage.Of<NewKeyPage, KeyForm>(context, viewer, form, status);

    private static Task<IResult> Show(
        HttpContext context,
        PortalViewer viewer,
        NewApiKey made,
        DateTimeOffset? previousEndsAt,
        TimeProvider time
    ) =>
        PortalPage.Of<MadeKeyPage, MadeKey>(
            context,
            viewer,
            new(
                made.Key,
                Row(made.Record, time.GetUtcNow()),
                previousEndsAt,
                previousEndsAt <= time.GetUtcNow(),
                PublicUrl.Of(context) + Example(made.Record.Scopes)
            )
        );

    private static string Example(IReadOnlyList<string> scopes) =>
        scopes.Contains("account.read") ? "/v1/account"
        : scopes.Contains("orders.read") ? "/v1/orders?limit=2"
        : "/v1/products?limit=2";

    public static async Task<IReadOnlyList<ApiKeyRecord>> All(PortalViewer viewer, ApiKeyRegistry keys, CancellationToken cancellation) =>
        [.. await keys.List(viewer.Tenant, isTest: false, cancellation), .. await keys.List(viewer.Tenant, isTest: true, cancellation)];

    private static async Task<ApiKeyRecord?> Find(string id, PortalViewer viewer, ApiKeyRegistry keys, CancellationToken cancellation) =>
        (await All(viewer, keys, cancellation)).FirstOrDefault(k => k.Id == id);

    private static KeyRow Row(ApiKeyRecord key, DateTimeOffset now) =>
        new(
            key.Id,
            key.Name,
            key.Prefix + "…" + key.LastFour,
            key.IsTest,
            key.Scopes,
            key.CreatedAt,
            key.LastUsedAt,
            key.ExpiresAt,
            key.IsExpired(now),
            key.ExpiresAt - now < Soon
        );

    private static DateTimeOffset? Expiry(string days, DateTimeOffset now) =>
        int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= 3650 ? now.AddDays(count) : null;
}
