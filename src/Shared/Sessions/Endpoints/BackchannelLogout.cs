using Bff.Edge;
using Bff.Sessions.SignIn;
using Microsoft.AspNetCore.Http;

namespace Bff.Sessions.Endpoints;

/// <summary>OpenID Connect Back-Channel Logout 1.0: the provider ends sessions here, on every instance, without the browser.</summary>
internal static class BackchannelLogout
{
    private const int MaxFormBytes = 32 * 1024;

    public static async Task<IResult> Handle(HttpContext context, ProviderTokens tokens, SessionVault vault, ISessionStore store)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (await Read(context) is not { } token || await tokens.ReadLogoutToken(token, context.RequestAborted) is not { } claims)
        {
            return Refused();
        }

        var id = "logout:" + SessionKey.Hash(ProviderTokens.Text(claims, "jti")!);
        if (await store.IsSpent(id))
        {
            return Refused();
        }

        var (sid, subject) = (ProviderTokens.Text(claims, "sid"), ProviderTokens.Text(claims, "sub"));
        var index = string.IsNullOrEmpty(sid) ? SessionKey.UserIndex(subject!) : SessionKey.ProviderIndex(sid);
        await vault.EndAll(index, record => string.IsNullOrEmpty(subject) || record.Subject == subject);

        // Spent last: while the store is away the provider may try again with the same token.
        await store.Spend(id, ProviderTokens.LogoutTokenMemory);
        return TypedResults.Ok();
    }

    private static async Task<string?> Read(HttpContext context)
    {
        var request = context.Request;
        if (!request.HasFormContentType || request.ContentType!.StartsWith("multipart", StringComparison.OrdinalIgnoreCase)
            || request.ContentLength is > MaxFormBytes)
        {
            return null;
        }

        try
        {
            var form = await request.ReadFormAsync(new() { KeyLengthLimit = 64, ValueCountLimit = 16, ValueLengthLimit = MaxFormBytes, BufferBodyLengthLimit = MaxFormBytes }, context.RequestAborted);
            return form["logout_token"] is [{ } token] ? token : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static Problem Refused() => new(ProblemCodes.MalformedRequest) { Detail = "The logout token is not valid." };
}
