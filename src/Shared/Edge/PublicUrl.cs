using System.Globalization;
using Bff.Configuration;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Edge;

/// <summary>The scheme and authority by which clients reach this host: the setting <c>PublicUrl</c>, else those of the request.</summary>
public sealed class PublicUrl
{
    private readonly Reloadable<EdgeSettings> _settings;

    internal PublicUrl(Reloadable<EdgeSettings> settings) => _settings = settings;

    /// <summary>Returns the URL without a trailing slash, for example <c>https://mobile-api.example.com</c>.</summary>
    public static string Of(HttpContext context) =>
        context.RequestServices.GetRequiredService<PublicUrl>()._settings.Current.PublicUrl
        ?? context.Request.Scheme + "://" + Authority(context);

    /// <summary>Returns the authority; localhost when HTTP/1.0 or an empty <c>Host</c> (RFC 9112 section 3.2) names none.</summary>
    private static string Authority(HttpContext context) =>
        context.Request.Host is { HasValue: true } host
            ? host.ToUriComponent()
            : string.Create(CultureInfo.InvariantCulture, $"localhost:{context.Connection.LocalPort}");
}
