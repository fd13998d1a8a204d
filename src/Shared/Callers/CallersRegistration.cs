using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Callers;

/// <summary>Registers the stage.</summary>
public static class CallersRegistration
{
    /// <summary>Who is calling: one <see cref="Caller"/> from whichever credentials the host accepts.</summary>
    internal static WebApplicationBuilder AddCallers(this WebApplicationBuilder builder)
    {
        return builder;
    }

    /// <summary>Accepts bearer access tokens (RFC 6750) as <c>Authentication:Schemes:Bearer</c> says.</summary>
    public static WebApplicationBuilder AddBearerTokens(this WebApplicationBuilder builder)
    {
        return builder;
    }
}
