using Bff.Callers;
using PartnerBff.Features.V1;

namespace PartnerBff.Features;

internal static class PartnerEndpoints
{
    public static void MapPartnerFeatures(this WebApplication app)
    {
        app.MapV1();
    }
}
