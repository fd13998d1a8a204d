using System.Text;
using Bff.Callers.ApiKeys;
using Bff.Sessions;
using Bff.State;
using PartnerBff.Features;

namespace PartnerBff.Portal.Docs;

/// <summary>
/// Creates the short-lived test keys for trying out the documentation, one per session. A key ends when its session is signed out, and
/// expires when the session would; a later visit to the documentation extends it. The browser keeps it sealed in a cookie that no script
/// can read and that is sent only to the documentation, so that opening a page twice creates no second key.
/// </summary>
internal sealed class DocsKeys(ApiKeyRegistry registry, IKeyRing keys, IHostEnvironment environment, TimeProvider time)
{
    private const string Cookie = "portal-docs";
    private const string Purpose = "portal-docs";
    private const string Name = "Documentation";
    private const int MaxLength = 1024;
    private static readonly TimeSpan Life = TimeSpan.FromHours(2);
    private static readonly TimeSpan MovedBy = TimeSpan.FromMinutes(1);

    // Without this scope the key cannot create keys that outlive it.
    private static readonly string[] Scopes = [.. PartnerScopes.All.Where(s => s != PartnerScopes.KeysManage)];

    /// <summary>Returns the session's key; null if the tenant may have no more keys.</summary>
    /// <exception cref="StoreUnavailableException">The store is unavailable.</exception>
    public async Task<string?> Of(HttpContext context, PortalViewer viewer)
    {
        var cancellation = context.RequestAborted;
        var end = EndOf(context);
        var belongsTo = Encoding.UTF8.GetBytes($"{viewer.Tenant}\n{viewer.SessionId}");
        if (
            context.Request.Cookies[Cookie] is { Length: > 0 and <= MaxLength } box
            && await SealedBox.OpenText(keys, Purpose, box, belongsTo, cancellation) is { } plain
            && Encoding.ASCII.GetString(plain).Split(' ') is [var id, var known]
            && await registry.Find(viewer.Tenant, id, isTest: true, cancellation) is { IsRotated: false } record
            && !record.IsExpired(time.GetUtcNow())
            && (end - record.ExpiresAt < MovedBy || await registry.MoveEnd(record, end, cancellation))
        )
        {
            Write(context, box);
            return known;
        }

        await Sweep(viewer.Tenant, cancellation);
        if (await registry.Create(viewer.Tenant, Name, Scopes, isTest: true, end, cancellation, viewer.SessionId) is not { } made)
        {
            return null;
        }

        Write(
            context,
            SealedBox.SealText(
                await keys.Current(Purpose, cancellation),
                Encoding.ASCII.GetBytes($"{made.Record.Id} {made.Key}"),
                belongsTo
            )
        );
        return made.Key;
    }

    /// <summary>Revokes the session's key.</summary>
    /// <exception cref="StoreUnavailableException">The store is unavailable.</exception>
    public async Task End(EndingSession session)
    {
        if (session.Tenant is not { } tenant)
        {
            return;
        }

        foreach (var key in await registry.List(tenant, isTest: true, CancellationToken.None))
        {
            if (key.Session == session.Id)
            {
                await registry.Delete(key, CancellationToken.None);
            }
        }
    }

    // Expires with the session as it is now, or earlier.
    private DateTimeOffset EndOf(HttpContext context)
    {
        var latest = time.GetUtcNow() + Life;
        return BrowserSession.Of(context) is { } session && session.EndsAt < latest ? session.EndsAt : latest;
    }

    private void Write(HttpContext context, string box) =>
        context.Response.Cookies.Append(
            Cookie,
            box,
            new CookieOptions
            {
                HttpOnly = true,
                Secure = context.Request.IsHttps || !environment.IsDevelopment(),
                SameSite = SameSiteMode.Lax,
                Path = "/docs",
                MaxAge = Life,
                IsEssential = true,
            }
        );

    // Keys of former sessions would fill the list.
    private async Task Sweep(string tenant, CancellationToken cancellation)
    {
        foreach (var key in await registry.List(tenant, isTest: true, cancellation))
        {
            if (key.Name == Name && key.IsExpired(time.GetUtcNow()))
            {
                await registry.Delete(key, cancellation);
            }
        }
    }
}
