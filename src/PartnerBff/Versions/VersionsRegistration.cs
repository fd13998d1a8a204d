using Bff.Configuration;

namespace PartnerBff.Versions;

internal static class VersionsRegistration
{
    public static WebApplicationBuilder AddVersions(this WebApplicationBuilder builder)
    {
        builder.Services.AddReloadable(["Versions"], ApiVersions.Parse);
        return builder;
    }
}
