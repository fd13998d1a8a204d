using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Bff.Edge;

/// <summary>
/// The framework's CORS with <see cref="CorsRules"/> at hand: it would ask for them per request, which costs each one a scope of services.
/// </summary>
internal sealed class CorsRulesMiddleware(RequestDelegate next, ICorsService service, ICorsPolicyProvider rules, ILoggerFactory logging)
{
    private readonly CorsMiddleware _cors = new(next, service, logging);

    public Task InvokeAsync(HttpContext context) => _cors.Invoke(context, rules);
}
