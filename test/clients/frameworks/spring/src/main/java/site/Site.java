package site;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;

/** Spring Boot: what it sees of the visitor, an upload, an event stream. */
@SpringBootApplication
@RestController
public class Site {
  private final CopyOnWriteArrayList<SseEmitter> listening = new CopyOnWriteArrayList<>();

  public static void main(String[] args) {
    SpringApplication.run(Site.class, args);
  }

  @GetMapping("/seen")
  Map<String, Object> seen(HttpServletRequest request) {
    return Map.of("url", request.getRequestURL().toString(), "secure", request.isSecure(), "client", request.getRemoteAddr());
  }

  @PostMapping("/length")
  int length(@RequestBody byte[] body) {
    return body.length;
  }

  @GetMapping("/events")
  SseEmitter events() throws IOException {
    SseEmitter emitter = new SseEmitter(0L);
    emitter.onCompletion(() -> listening.remove(emitter));
    emitter.send("1");
    listening.add(emitter);
    return emitter;
  }

  @PostMapping("/tick")
  void tick() throws IOException {
    for (SseEmitter emitter : listening) emitter.send("2");
  }
}
