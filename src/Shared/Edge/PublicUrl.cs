using System.Globalization;
using Bff.Configuration;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Edge;

/// <summary>Scheme and authority under which clients know this host: the setting <c>PublicUrl</c>, else the request's own.</summary>
public sealed class PublicUrl
{
    private readonly Reloadable<EdgeSettings> _settings;

    internal PublicUrl(Reloadable<EdgeSettings> settings) => _settings = settings;

    /// <summary>For example <c>https://mobile-api.example.com</c>; no trailing slash.</summary>
    public static string Of(HttpContext context) =>
        context.RequestServices.GetRequiredService<PublicUrl>()._settings.Current.PublicUrl
        ?? context.Request.Scheme + "://" + Authority(context);

    /// <summary>HTTP/1.0 and an empty <c>Host</c> (RFC 9112 section 3.2) name none; an address without one would be no address.</summary>
    private static string Authority(HttpContext context) =>
        context.Request.Host is { HasValue: true } host
            ? host.ToUriComponent()
            : string.Create(CultureInfo.InvariantCulture, $"localhost:{context.Connection.LocalPort}");
}
