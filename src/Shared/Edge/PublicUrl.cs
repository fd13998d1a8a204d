using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Edge;

/// <summary>Scheme and authority under which clients know this host: the setting <c>PublicUrl</c>, else the request's own.</summary>
public sealed class PublicUrl(IConfiguration configuration)
{
    private readonly string? _configured = configuration["PublicUrl"]?.TrimEnd('/');

    /// <summary>For example <c>https://mobile-api.example.com</c>; no trailing slash.</summary>
    public static string Of(HttpContext context) =>
        context.RequestServices.GetRequiredService<PublicUrl>()._configured
        ?? context.Request.Scheme + "://" + context.Request.Host.ToUriComponent();
}
