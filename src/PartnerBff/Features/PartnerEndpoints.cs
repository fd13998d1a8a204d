using Bff.OpenApi;
using Bff.Tenants;
using PartnerBff.Features.V1;
using PartnerBff.Features.V2;

namespace PartnerBff.Features;

internal static class PartnerEndpoints
{
    public static void MapPartnerFeatures(this WebApplication app)
    {
        app.MapGroup("/v1").WithGroupName("v1").MapV1();
        app.MapGroup("/v2").WithGroupName("v2").MapV2();
        app.MapPlanChanges();
        app.MapBffOpenApi();
    }
}
