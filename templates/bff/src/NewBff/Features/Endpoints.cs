using Bff.Edge;
using Bff.Requests;

namespace NewBff.Features;

internal static class Endpoints
{
    public static void MapFeatures(this WebApplication app)
    {
        var api = app.MapGroup("").RequireScope("api").WithSingleParameters();
        api.MapGet("/welcome", GetWelcome.Handle).Named("welcome").WithTags("Welcome");
    }
}
