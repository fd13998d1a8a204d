using Bff.Requests;
using PartnerBff.OpenApi;

namespace PartnerBff.Features.Webhooks;

/// <summary>Maps the webhooks' endpoints, which are the same in every version.</summary>
internal static class WebhookRoutes
{
    public static void MapWebhooks(this RouteGroupBuilder version)
    {
        var endpoints = version.MapGroup("/webhook-endpoints").RequireScope(PartnerScopes.WebhooksManage).WithTags("Webhooks");
        endpoints
            .MapPost("", WebhookEndpoints.Create)
            .Named("create-webhook-endpoint")
            .Documented(WebhookDocs.Create)
            .Produces<WebhookEndpointWithSecret>(StatusCodes.Status201Created);
        endpoints
            .MapGet("", WebhookEndpoints.List)
            .Named("webhook-endpoints")
            .Documented(WebhookDocs.List)
            .Produces<Page<WebhookEndpointContract>>();
        endpoints
            .MapGet("/{id}", WebhookEndpoints.Get)
            .Named("webhook-endpoint")
            .Documented(WebhookDocs.Get)
            .Produces<WebhookEndpointContract>();
        endpoints
            .MapPatch("/{id}", WebhookEndpoints.Change)
            .Named("change-webhook-endpoint")
            .Documented(WebhookDocs.Change)
            .Produces<WebhookEndpointContract>();
        endpoints
            .MapDelete("/{id}", WebhookEndpoints.Delete)
            .Named("delete-webhook-endpoint")
            .Documented(WebhookDocs.Delete)
            .Produces(StatusCodes.Status204NoContent);
        endpoints
            .MapPost("/{id}/rotate-secret", WebhookEndpoints.RotateSecret)
            .Named("rotate-webhook-secret")
            .Documented(WebhookDocs.Rotate)
            .Produces<WebhookEndpointWithSecret>();
        endpoints
            .MapPost("/{id}/test", WebhookDeliveries.Test)
            .Named("test-webhook-endpoint")
            .Documented(WebhookDocs.Test)
            .Produces<DeliveryContract>(StatusCodes.Status202Accepted);
        endpoints
            .MapGet("/{id}/deliveries", WebhookDeliveries.List)
            .Named("webhook-deliveries")
            .Documented(WebhookDocs.Deliveries)
            .Produces<Page<DeliveryContract>>();
        version
            .MapPost("/webhook-deliveries/{id}/retry", WebhookDeliveries.Retry)
            .RequireScope(PartnerScopes.WebhooksManage)
            .Named("retry-webhook-delivery")
            .Documented(WebhookDocs.Retry)
            .WithTags("Webhooks")
            .Produces<DeliveryContract>(StatusCodes.Status202Accepted);
    }
}
