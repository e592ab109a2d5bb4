import java.nio.file.Path;
import java.util.Map;
import org.neo4j.configuration.connectors.ConnectorPortRegister;
import org.neo4j.configuration.connectors.ConnectorType;
import org.neo4j.dbms.api.DatabaseManagementServiceBuilder;
import org.neo4j.kernel.internal.GraphDatabaseAPI;

/**
 * A real Neo4j server in this process, for tests: `TestServer DIRECTORY SETTINGS`, the settings in a file. The
 * password of the user neo4j is in NEO4J_TEST_PASSWORD. Prints `ready PORT` when clients may come; SIGTERM ends it.
 */
public final class TestServer {
    public static void main(String[] arguments) throws Exception {
        var builder = new DatabaseManagementServiceBuilder(Path.of(arguments[0]));
        var service = builder.loadPropertiesFromFile(Path.of(arguments[1])).build();
        Runtime.getRuntime().addShutdownHook(new Thread(service::shutdown));
        // The first password has to be changed; in a directory that was used before it is changed already.
        service.database("system").executeTransactionally(
                "ALTER USER neo4j SET PLAINTEXT PASSWORD $password CHANGE NOT REQUIRED",
                Map.of("password", System.getenv("NEO4J_TEST_PASSWORD")));
        var database = (GraphDatabaseAPI) service.database("neo4j");
        var ports = database.getDependencyResolver().resolveDependency(ConnectorPortRegister.class);
        System.out.println("ready " + ports.getLocalAddress(ConnectorType.BOLT).getPort());
        Thread.sleep(Long.MAX_VALUE);
    }
}
