namespace Bff.Dev.IdentityProvider;

/// <summary>Keeps other web pages from using this provider's forms in the developer's browser.</summary>
internal static class CrossSite
{
    public static bool IsForeign(HttpContext context)
    {
        var site = context.Request.Headers["Sec-Fetch-Site"].ToString();
        return site is not ("" or "same-origin" or "none");
    }
}
